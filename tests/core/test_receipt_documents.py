"""A record in the words of ISO/IEC TS 27560 and of the W3C Data Privacy Vocabulary."""

import json

import pytest

from consent.core.data_privacy_vocabulary import json_ld
from consent.core.iso_27560 import EXTENSION, iso_27560
from consent.core.told import NOT_RECORDED, Told
from consent.management.demo_site import POLICY, SITE

# The field names of ISO/IEC TS 27560:2023 that a document here may have (clause 6.3).
ISO_FIELDS = {
    *("schema_version", "record_id", "pii_principal_id", "receipt_id"),
    *("privacy_notice", "language", "purposes", "purpose", "purpose_type"),
    *("lawful_basis", "pii_information", "pii_controllers", "collection_method"),
    *("storage_locations", "retention_period", "service", "jurisdiction"),
    *("recipient_third_parties", "withdrawal_method"),
    *("pii_type", "pii_attribute_id", "pii_optional"),
    *("party_id", "party_name", "party_address", "party_contact", "party_type"),
    *("role", "url"),
    *("event_time", "validity_duration", "entity_id", "event_type", "event_state"),
    # The names of its four sections.
    *("record", "pii_processing", "party_identification", "event"),
}
MANDATORY = {
    "record": {"schema_version", "record_id", "pii_principal_id"},
    "pii_processing": {"privacy_notice", "language", "purposes"},
    "purposes": {
        *("purpose", "pii_information", "pii_controllers", "storage_locations"),
        *("retention_period", "jurisdiction", "recipient_third_parties"),
        "withdrawal_method",
    },
    "pii_information": {"pii_type"},
    "party_identification": {
        *("party_id", "party_name", "party_address", "party_contact", "party_type"),
    },
    "event": {
        *("event_time", "validity_duration", "entity_id", "event_type", "event_state"),
    },
}
# Terms of DPV 2 and of the vocabularies it is used with.
TERMS = {
    *("dpv:ConsentRecord", "dpv:DataSubject", "dpv:DataController", "dpv:Location"),
    *("dpv:WithdrawConsent", "dpv:ConsentNotice", "dpv:Process", "dpv:Purpose"),
    *("dpv:Service", "dpv:ThirdParty", "dpv:StorageDuration", "dpv:TemporalDuration"),
    *("dpv:UntilTimeDuration", "dpv:Policy", "dpv:ExplicitlyExpressedConsent"),
    *("dpv:ConsentGiven", "dpv:ConsentRefused"),
    "dpv:ConsentStatusInvalidForProcessing",
    *("dpv:ServicePersonalisation", "dpv:ServiceUsageAnalytics", "dpv:Marketing"),
    *("dpv:hasDataSubject", "dpv:hasDataController", "dpv:hasJurisdiction"),
    *("dpv:hasConsentControl", "dpv:isExercisedAt", "dpv:hasProcess", "dpv:hasNotice"),
    *("dpv:hasPurpose", "dpv:hasConsentStatus", "dpv:hasLegalBasis", "dpv:hasService"),
    *("dpv:hasRecipient", "dpv:hasStorageCondition", "dpv:hasDuration"),
    *("dpv:isIndicatedAtTime", "dpv:isIndicatedBy", "dpv:hasIndicationMethod"),
    *("dpv:hasName", "dpv:hasAddress", "dpv:hasContact", "dpv:hasPolicy"),
    *("dct:identifier", "dct:created", "dct:valid", "dct:title"),
    *("dct:language", "rdf:value", "skos:broader", "xsd:dateTime"),
}
NUMBER = "00112233445566778899aabbccddeeff"
WITHDRAWAL = "https://bakery.example/cookie-preferences/"


def told(event="partial", model="opt_in", rule="FR", visitor="ab" * 32, **purposes):
    """A record of the demo's site as the documents take it."""
    answers = purposes or {"functional": True, "analytics": False, "marketing": False}
    granted = any(answers.values())
    record = {
        "format": 1,
        "kind": "consent",
        "id": NUMBER,
        "site": "default",
        "time": "2026-11-23T12:00:00.000Z",
        "event": event,
        "purposes": answers,
        "services": {},
        "visitor": visitor,
        "policy": {"version": 1, "hash": "sha256:" + "1" * 64},
        "notice": {"hash": "sha256:" + "2" * 64, "language": "en"},
        "jurisdiction": {"rule": rule, "rulebook": "sha256:" + "3" * 64},
        "location": {"country": "FR", "subdivision": None, "source": "geoip"},
        "signals": {"gpc": False, "dnt": False, "applied": []},
        "audience": "general",
        "model": model,
        "surface": "banner",
        "valid_until": "2027-05-22T12:00:00.000Z" if granted else None,
    }
    controller = {
        name: SITE[f"controller_{name}"] for name in ("name", "address", "contact")
    }
    policy = {
        **POLICY,
        "controller": controller,
        "privacy_policy_url": SITE["privacy_policy_url"],
    }
    return Told(
        record=record, policy=policy, withdrawal=WITHDRAWAL, retention_days=1095
    )


def members(value, skip=()):
    """The names of all members of a JSON value, without what stands in some of them."""
    if isinstance(value, list):
        return set().union(*(members(item, skip) for item in value))
    if isinstance(value, dict):
        inside = (members(v, skip) for k, v in value.items() if k not in skip)
        return set(value).union(*inside)
    return set()


def states(document):
    return {
        purpose: event["event_state"]
        for event in document["event"]
        for purpose in event[EXTENSION]["purposes"]
    }


def test_every_field_is_one_of_the_standard_or_in_our_own_extension():
    found = members(iso_27560(told()), skip=(EXTENSION,))
    assert found - {EXTENSION} <= ISO_FIELDS


@pytest.mark.parametrize("section", MANDATORY)
def test_every_mandatory_field_is_there_and_says_something(section):
    document = iso_27560(told(visitor=None))
    processing = document["pii_processing"]
    found = {
        **document,
        "purposes": processing["purposes"],
        "pii_information": [
            pii for p in processing["purposes"] for pii in p["pii_information"]
        ],
    }[section]
    for one in found if isinstance(found, list) else [found]:
        assert set(one) >= MANDATORY[section]
        assert all(one[name] not in (None, "") for name in MANDATORY[section])


def test_the_document_names_who_asked_for_what_and_for_how_long():
    document = iso_27560(told())
    controller = document["party_identification"][0]
    assert controller["party_name"] == "Harbour Bakery Ltd"
    assert controller["party_contact"] == "privacy@bakery.example"
    chat, statistics, marketing = document["pii_processing"]["purposes"]
    assert chat["recipient_third_parties"] == ["Oven Chat GmbH"]
    assert statistics["recipient_third_parties"] == []
    assert marketing["retention_period"] == "P180D"
    assert chat["withdrawal_method"] == WITHDRAWAL
    assert document[EXTENSION]["record_kept_after_it_ended"] == "P1095D"
    assert document["record"]["record_id"] == "00112233-4455-6677-8899-aabbccddeeff"


def test_what_was_granted_is_given_until_its_end_and_what_was_not_is_our_extension():
    document = iso_27560(told())
    given, refused = document["event"]
    assert (given["event_state"], given["validity_duration"]) == ("given", "P180D")
    assert refused["event_state"] == "x-refused"
    assert states(document) == {
        "functional": "given",
        "analytics": "x-refused",
        "marketing": "x-refused",
    }
    assert document[EXTENSION]["purposes"]["analytics"] is False


def linked_states(document):
    statuses = [p["dpv:hasConsentStatus"]["@type"] for p in document["dpv:hasProcess"]]
    return [status.removeprefix("dpv:Consent") for status in statuses]


def test_a_withdrawal_says_of_no_purpose_that_it_had_been_granted():
    # Only one of them may have been: the record does not say which.
    withdrawn = told("withdrawn", functional=False, analytics=False, marketing=False)
    assert set(states(iso_27560(withdrawn)).values()) == {"x-refused-or-withdrawn"}
    assert set(linked_states(json_ld(withdrawn))) == {"StatusInvalidForProcessing"}


@pytest.mark.parametrize("event", ["refused", "erased", "merged", "opted_out"])
def test_what_is_refused_by_any_other_event_is_a_refusal(event):
    refused = told(event, functional=False, analytics=False, marketing=False)
    assert set(states(iso_27560(refused)).values()) == {"x-refused"}
    assert set(linked_states(json_ld(refused))) == {"Refused"}


def test_what_is_refused_has_no_lawful_basis():
    document, linked = iso_27560(told()), json_ld(told())
    purposes = document["pii_processing"]["purposes"]
    assert ["lawful_basis" in purpose for purpose in purposes] == [True, False, False]
    bases = ["dpv:hasLegalBasis" in p for p in linked["dpv:hasProcess"]]
    assert bases == [True, False, False]


def test_the_linked_document_claims_no_profile_that_it_does_not_fulfil():
    document = json_ld(told())
    assert "dct:conformsTo" not in document
    assert not {"dpv:hasPersonalData", "dpv:hasStorageLocation"} & members(document)


@pytest.mark.parametrize(
    ("model", "basis"), [("opt_in", "consent"), ("opt_out", None), ("notice", None)]
)
def test_consent_is_the_lawful_basis_only_where_the_law_asks_for_it(model, basis):
    document = iso_27560(told(model=model))
    given, *refused = document["pii_processing"]["purposes"]
    assert given.get("lawful_basis") == basis
    assert not any("lawful_basis" in purpose for purpose in refused)
    linked = json_ld(told(model=model))["dpv:hasProcess"][0]
    assert ("dpv:hasLegalBasis" in linked) is (basis is not None)


def test_what_nobody_recorded_is_said_to_be_so():
    document = iso_27560(told(visitor=None, rule="*"))
    assert document["record"]["pii_principal_id"] == NOT_RECORDED
    assert document["event"][0]["entity_id"] == NOT_RECORDED
    places = {p["jurisdiction"] for p in document["pii_processing"]["purposes"]}
    assert places == {"unknown, so that the strictest rule applied"}
    linked = json_ld(told(visitor=None, rule="*"))
    assert linked["dpv:hasDataSubject"] == {"@type": "dpv:DataSubject"}
    assert "dpv:hasJurisdiction" not in linked


def test_a_grant_of_hours_has_a_duration_of_hours():
    short = told()
    short.record["valid_until"] = "2026-11-23T13:00:00.000Z"
    assert iso_27560(short)["event"][0]["validity_duration"] == "P0DT3600S"


def linked_terms(value):
    """Every name and every reference in a JSON-LD document that has a prefix."""
    if isinstance(value, list):
        return set().union(*(linked_terms(item) for item in value))
    if not isinstance(value, dict):
        return set()
    named = {name for name in value if ":" in name}
    named |= {value[k] for k in ("@type", "@id") if ":" in str(value.get(k, ""))}
    return named.union(*(linked_terms(inner) for inner in value.values()))


@pytest.mark.parametrize("event", ["partial", "withdrawn", "merged"])
def test_the_linked_document_uses_no_term_that_the_vocabularies_lack(event):
    document = json_ld(told(event))
    found = linked_terms({k: v for k, v in document.items() if k != "@context"})
    outside = {term for term in found - TERMS if not term.startswith(("http", "urn:"))}
    assert outside == set()
    prefixes = {term.partition(":")[0] for term in found & TERMS}
    assert prefixes <= set(document["@context"])


def test_the_linked_document_is_json_and_fetches_nothing():
    document = json.loads(json.dumps(json_ld(told())))
    assert document["@type"] == "dpv:ConsentRecord"
    assert all(isinstance(iri, str) for iri in document["@context"].values())
    assert document["dct:valid"]["@value"] == "2027-05-22T12:00:00.000Z"
    statuses = [p["dpv:hasConsentStatus"]["@type"] for p in document["dpv:hasProcess"]]
    assert statuses == ["dpv:ConsentGiven", "dpv:ConsentRefused", "dpv:ConsentRefused"]
    assert document["dpv:hasNotice"]["dct:identifier"] == "sha256:" + "2" * 64
