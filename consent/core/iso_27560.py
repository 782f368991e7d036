"""A consent record in the fields of ISO/IEC TS 27560:2023."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from consent.core.told import NOT_RECORDED, Document, Told, longest_life

SCHEMA: Final = "ISO/IEC TS 27560:2023"
# Ours, as the standard lets everybody add their own: it has no event for a refusal, and
# none for what may be either that or a withdrawal.
EXTENSION: Final = "consent_extension"
REFUSED: Final = "x-refused"
REFUSED_OR_WITHDRAWN: Final = "x-refused-or-withdrawn"
UNKNOWN: Final = "unknown, so that the strictest rule applied"
_DAY: Final = 86_400


def iso_27560(told: Told) -> Document:
    """The record as a consent receipt in the fields of ISO/IEC TS 27560:2023.

    Refusals are an extension (`x-refused`), because the standard names no such event.
    Where everything is refused after something was granted, each purpose is
    `x-refused-or-withdrawn`: the record does not say which of them had been granted. A
    lawful basis stands only with what was given. All that was answered stands in
    `consent_extension`, explicitly both ways.
    """
    record = told.record
    return {
        "schema_version": SCHEMA,
        "receipt_id": told.number,
        "record": {
            "schema_version": SCHEMA,
            "record_id": told.number,
            "pii_principal_id": record["visitor"] or NOT_RECORDED,
        },
        "pii_processing": {
            "privacy_notice": told.policy["privacy_policy_url"] or NOT_RECORDED,
            "language": record["notice"]["language"] or NOT_RECORDED,
            "purposes": [_purpose(told, purpose) for purpose in record["purposes"]],
        },
        "party_identification": list(_parties(told)),
        "event": list(_events(told)),
        EXTENSION: _extension(told),
    }


def _purpose(told: Told, purpose: str) -> Document:
    services = told.services(purpose)
    found: Document = {
        "purpose": told.title(purpose),
        "purpose_type": purpose,
        "pii_information": _pii(services),
        "pii_controllers": ["controller"],
        "collection_method": "cookies and similar storage in the visitor's browser",
        "storage_locations": ["the visitor's browser; elsewhere: not recorded"],
        "retention_period": longest_life(services) or NOT_RECORDED,
        "service": [service["name"] for service in services],
        "jurisdiction": told.jurisdiction or UNKNOWN,
        "recipient_third_parties": told.recipients(purpose),
        "withdrawal_method": told.withdrawal,
    }
    if told.rests_on_consent(purpose):
        found["lawful_basis"] = "consent"
    return found


def _pii(services: Sequence[Mapping[str, Any]]) -> list[Document]:
    cookies = [cookie["name"] for s in services for cookie in s.get("cookies", ())]
    return [
        {
            "pii_type": "cookie" if cookies else NOT_RECORDED,
            "pii_attribute_id": cookies,
            "pii_optional": True,
        }
    ]


def _parties(told: Told) -> Iterator[Document]:
    controller = told.policy["controller"]
    yield {
        "party_id": "controller",
        "party_name": controller["name"],
        "party_address": controller["address"],
        "party_contact": controller["contact"],
        "party_type": "PII controller",
        "role": "PII controller",
        "url": told.policy["privacy_policy_url"],
    }
    others = [name for p in told.record["purposes"] for name in told.recipients(p)]
    for name in dict.fromkeys(others):
        yield {
            "party_id": name,
            "party_name": name,
            "party_address": NOT_RECORDED,
            "party_contact": NOT_RECORDED,
            "party_type": "recipient third party",
        }


def _events(told: Told) -> Iterator[Document]:
    """An event for what was granted, and one for what was not."""
    record = told.record
    refused = REFUSED_OR_WITHDRAWN if told.refused_or_withdrawn else REFUSED
    for granted in (True, False):
        purposes = [p for p, on in record["purposes"].items() if on is granted]
        if purposes:
            yield {
                "event_time": record["time"],
                "validity_duration": _validity(record) if granted else "no end",
                "entity_id": record["visitor"] or NOT_RECORDED,
                "event_type": _kind(record),
                "event_state": "given" if granted else refused,
                EXTENSION: {"purposes": purposes},
            }


def _kind(record: Mapping[str, Any]) -> str:
    """By what the answer was expressed; a browser's signal is no click."""
    others = {"signal": "x-signal", "sign_in": "x-merged"}
    return others.get(record["surface"], "explicit")


def _validity(record: Mapping[str, Any]) -> str:
    """How long a grant lasts from the event on, as an ISO 8601 duration."""
    if record["valid_until"] is None:
        return NOT_RECORDED
    begin = datetime.fromisoformat(record["time"])
    lasts = datetime.fromisoformat(record["valid_until"]) - begin
    days, seconds = divmod(round(lasts.total_seconds()), _DAY)
    return f"P{days}DT{seconds}S" if seconds else f"P{days}D"


def _extension(told: Told) -> Document:
    """What the record says and the standard has no field for."""
    ours = (
        *("event", "purposes", "services", "policy", "notice", "jurisdiction"),
        *("location", "signals", "audience", "model", "surface", "valid_until"),
    )
    kept = f"P{told.retention_days}D" if told.retention_days else "for ever"
    return {
        **{name: told.record[name] for name in ours},
        "record_kept_after_it_ended": kept,
    }
