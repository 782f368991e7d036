"""A consent record in the terms of the W3C Data Privacy Vocabulary 2 (JSON-LD)."""

from typing import Final

from consent.core.told import Document, Told, longest_life

PROFILE: Final = "https://w3id.org/dpv/schema/dpv-27560#record"
_DPV_PURPOSES: Final = {
    "functional": "dpv:ServicePersonalisation",
    "analytics": "dpv:ServiceUsageAnalytics",
    "marketing": "dpv:Marketing",
}
_CONTEXT: Final = {
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def json_ld(told: Told) -> Document:
    """The record in the terms of the W3C Data Privacy Vocabulary 2, as JSON-LD.

    The context stands in the document: whoever reads it fetches nothing.
    """
    record = told.record
    found: Document = {
        "@context": _CONTEXT,
        "@id": f"urn:uuid:{told.number}",
        "@type": "dpv:ConsentRecord",
        "dct:identifier": record["id"],
        "dct:conformsTo": {"@id": PROFILE},
        "dct:created": _time(record["time"]),
        "dpv:hasPolicy": {
            "@type": "dpv:Policy",
            "dct:identifier": record["policy"]["hash"],
        },
        "dpv:hasDataSubject": _subject(told),
        "dpv:hasDataController": _controller(told),
        "dpv:hasConsentControl": {
            "@type": "dpv:WithdrawConsent",
            "dpv:isExercisedAt": {"@id": told.withdrawal},
        },
        "dpv:hasProcess": [_process(told, p) for p in record["purposes"]],
    }
    if told.jurisdiction:
        found["dpv:hasJurisdiction"] = {
            "@type": "dpv:Location",
            "dct:identifier": told.jurisdiction,
        }
    if record["notice"]["hash"]:
        found["dpv:hasNotice"] = {
            "@type": "dpv:ConsentNotice",
            "dct:identifier": record["notice"]["hash"],
            "dct:language": record["notice"]["language"],
        }
    if record["valid_until"]:
        found["dct:valid"] = _time(record["valid_until"])
    return found


def _process(told: Told, purpose: str) -> Document:
    services = told.services(purpose)
    found: Document = {
        "@type": "dpv:Process",
        "dpv:hasPurpose": {
            "@type": "dpv:Purpose",
            "dct:title": told.title(purpose),
            "skos:broader": {"@id": _DPV_PURPOSES[purpose]},
        },
        "dpv:hasConsentStatus": _status(told, purpose),
    }
    if told.asked:
        found["dpv:hasLegalBasis"] = {"@id": "dpv:ExplicitlyExpressedConsent"}
    if services:
        found["dpv:hasService"] = [
            {
                "@type": "dpv:Service",
                "dct:identifier": s["slug"],
                "dct:title": s["name"],
            }
            for s in services
        ]
    recipients = told.recipients(purpose)
    if recipients:
        found["dpv:hasRecipient"] = [
            {"@type": "dpv:ThirdParty", "dpv:hasName": name} for name in recipients
        ]
    longest = longest_life(services)
    if longest:
        found["dpv:hasStorageCondition"] = {
            "@type": "dpv:StorageDuration",
            "dpv:hasDuration": {"@type": "dpv:TemporalDuration", "rdf:value": longest},
        }
    return found


def _status(told: Told, purpose: str) -> Document:
    record = told.record
    refused = "dpv:ConsentWithdrawn" if told.withdrawn else "dpv:ConsentRefused"
    granted = record["purposes"][purpose]
    found: Document = {
        "@type": "dpv:ConsentGiven" if granted else refused,
        "dpv:isIndicatedAtTime": _time(record["time"]),
        "dpv:isIndicatedBy": {"@id": "dpv:DataSubject"},
        "dpv:hasIndicationMethod": record["surface"],
    }
    if granted and record["valid_until"]:
        found["dpv:hasDuration"] = {
            "@type": "dpv:UntilTimeDuration",
            "rdf:value": _time(record["valid_until"]),
        }
    return found


def _subject(told: Told) -> Document:
    visitor = told.record["visitor"]
    named = {"dct:identifier": visitor} if visitor else {}
    return {"@type": "dpv:DataSubject", **named}


def _controller(told: Told) -> Document:
    controller = told.policy["controller"]
    return {
        "@type": "dpv:DataController",
        "dpv:hasName": controller["name"],
        "dpv:hasAddress": controller["address"],
        "dpv:hasContact": controller["contact"],
    }


def _time(text: str) -> Document:
    return {"@type": "xsd:dateTime", "@value": text}
