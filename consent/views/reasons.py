"""Why a visitor sees what they see: the place, its rule, and how sure that is."""

from typing import Any

from consent import places
from consent.core.jurisdictions import UNKNOWN_PLACE
from consent.core.scales import Confidence
from consent.decision import Consent
from consent.views.words import CONFIDENCES, DUTIES, MODELS, SOURCES


def why(consent: Consent) -> dict[str, Any]:
    """The place we think a visitor is in, the rule that applies, and its confidence.

    `doubtful` marks what research is unsure about, `unverified` a row whose rule is not
    served until a person has reviewed it.
    """
    rule, model = consent.rule, consent.decision.model
    row = consent.published.book.row(place(consent), consent.now.date())
    return {
        "known": row.place != UNKNOWN_PLACE,
        "place": places.name(row, consent.language),
        "declared": _declared(consent),
        "source": SOURCES[consent.location.source],
        "rule": rule,
        "row": row,
        "model": MODELS[model],
        "duty": DUTIES[model],
        "confidence": CONFIDENCES[rule.confidence],
        "doubtful": rule.confidence is Confidence.LOW or not row.verified,
        "unverified": not row.verified,
    }


def place(consent: Consent) -> str:
    """The code under which the rule book knows the visitor's place."""
    return consent.location.subdivision or consent.location.country or UNKNOWN_PLACE


def _declared(consent: Consent) -> str:
    """The region that the visitor chose beside the located one; empty for none."""
    if consent.region is None:
        return ""
    row = consent.published.book.row(consent.region, consent.now.date())
    return places.name(row, consent.language)
