"""A consent record in the terms of the W3C Data Privacy Vocabulary 2 (JSON-LD)."""

from typing import Final

from consent.core.told import Document, Told, longest_life

_DPV_PURPOSES: Final = {
    "functional": "dpv:ServicePersonalisation",
    "analytics": "dpv:ServiceUsageAnalytics",
    "marketing": "dpv:Marketing",
}
# Refused, withdrawn, or in another state in which nothing may run.
_NOT_VALID: Final = "dpv:ConsentStatusInvalidForProcessing"
_CONTEXT: Final = {
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def json_ld(told: Told) -> Document:
    """The record in the terms of the W3C Data Privacy Vocabulary 2, as JSON-LD.

    The context stands in the document: whoever reads it fetches nothing. It says of no
    profile that it conforms to it, because those want members that a record does not
    have (which personal data, stored where). Where everything is refused after
    something was granted, a purpose's status takes in both a refusal and a withdrawal:
    the record does not say which had been granted. Consent is the legal basis only of
    what was given.
    """
    record = told.record
    found: Document = {
        "@context": _CONTEXT,
        "@id": f"urn:uuid:{told.number}",
        "@type": "dpv:ConsentRecord",
        "dct:identifier": record["id"],
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
    if told.rests_on_consent(purpose):
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
    record, granted = told.record, told.granted(purpose)
    refused = _NOT_VALID if told.refused_or_withdrawn else "dpv:ConsentRefused"
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
