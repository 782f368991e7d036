"""The API's JSON documents (docs/api.md)."""

from functools import lru_cache
from typing import Any

from consent import client, geolocation
from consent.choices import Recorded
from consent.core.jurisdictions import Location, Rule, Source
from consent.core.purposes import consent_mode
from consent.decision import Consent
from consent.notices import opt_out_link


def decision_document(
    consent: Consent, recorded: Recorded | None = None
) -> dict[str, Any]:
    """What to show and what may run; after a choice, with that choice in force."""
    decision = recorded.decision if recorded else consent.decision
    choice = recorded.choice if recorded else decision.choice
    rule = decision.rule
    policy = consent.published.policy
    return {
        "site": consent.published.site.slug,
        "location": _location(consent.location),
        "jurisdiction": _jurisdiction(rule),
        "model": decision.model.label,
        "banner": decision.banner.label,
        "reason": str(decision.reason),
        "signals": client.signals(consent, decision),
        "purposes": {str(p): on for p, on in decision.purposes.items()},
        "services": dict(decision.services),
        "choice": client.choice_document(choice),
        "policy": {"version": policy.version, "hash": policy.hash},
        "opt_out_link": opt_out_link(decision, consent.language),
        "language": consent.language,
        "consent_mode": consent_mode(purposes=decision.whole),
    }


@lru_cache(maxsize=1024)
def _jurisdiction(rule: Rule) -> dict[str, str]:
    return {
        "rule": rule.name,
        "regime": rule.regime,
        "law": rule.law,
        "confidence": rule.confidence.label,
    }


def _location(location: Location) -> dict[str, Any]:
    used = location.source is Source.GEOIP
    return {
        "country": location.country,
        "subdivision": location.subdivision,
        "source": str(location.source),
        "attribution": geolocation.status().attribution if used else None,
    }
