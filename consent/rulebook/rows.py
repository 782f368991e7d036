"""A row of the rule book: one place in one period, with its law and its research.

The words that the data use for the values of the core stand here too, so that what is
read (`reading`) and what is written (`document`) are the same words.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final

from consent.core.jurisdictions import Period, Rule
from consent.core.purposes import OPTIONAL
from consent.core.scales import Banner, Confidence, Exemption, Model, OptOutLink, Parity
from consent.rulebook.fields import Given

MODELS: Final = {model.label: model for model in Model}
BANNERS: Final = {"ask": Banner.OPT_IN, "tell": Banner.NOTICE, "none": Banner.NONE}
PARITIES: Final = {parity.label: parity for parity in Parity}
LINKS: Final = {link.label: link for link in OptOutLink}
CONFIDENCES: Final = {confidence.label: confidence for confidence in Confidence}
EXEMPTIONS: Final = {str(kind): kind for kind in Exemption}
PURPOSES: Final = {str(purpose): purpose for purpose in OPTIONAL}
SIGNALS: Final = {"voluntary": False, "binding": True}
PLACEMENTS: Final = {"anywhere": False, "no_bottom": True}
STATUSES: Final = {"verified": True, "unverified": False}
BASES: Final = {
    basis: basis
    for basis in (
        "statute",
        "regulator_guidance",
        "general_law_inference",
        "strictest_default",
        "none",
    )
}
WAITS: Final = {wait: wait for wait in ("yes", "no", "unclear", "conditional")}


@dataclass(frozen=True, slots=True)
class Offer:
    """An exemption that a row offers: its kind, its conditions, where they stand."""

    kind: Exemption
    conditions: str
    source: str


@dataclass(frozen=True, slots=True)
class Scoped:
    """A stricter model for one kind of data only; told, never computed with."""

    data: str
    model: Model


@dataclass(frozen=True, slots=True)
class Research:
    """Where a row comes from, and how far it was read and doubted."""

    basis: str
    banner_before_tags: str
    source_read: bool
    source_url: str
    source_says: str
    checked: date | None
    check_says: str
    also_read: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Change:
    """An override that shaped a row: what it names, who wants it, and why."""

    fields: tuple[str, ...]
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One place in one period, as a lawyer reads it; `rule` is what the core reads.

    `model` is the row's own; single purposes may be stricter in `rule`. `figure` is the
    longest life of a grant that an authority names, None where none does. `given` are
    the fields as they were stated, for an override to be laid over.
    """

    place: str
    name: str
    iso: bool
    since: date | None
    until: date | None
    verified: bool
    model: Model
    figure: int | None
    rule: Rule
    offers: tuple[Offer, ...]
    scoped: tuple[Scoped, ...]
    gpp_section: str
    research: Research
    reviewed_by: str
    reviewed_on: date | None
    given: Given
    changes: tuple[Change, ...] = ()

    @property
    def period(self) -> Period:
        return Period(self.rule, self.since, self.until, self.verified)

    @property
    def regime(self) -> str:
        return self.rule.regime

    @property
    def law(self) -> str:
        return self.rule.law

    @property
    def reviewed(self) -> bool:
        return bool(self.reviewed_by and self.reviewed_on)

    def document(self) -> dict[str, object]:
        """The whole row as JSON values; what it says is what the version hashes."""
        return {
            "since": _iso(self.since),
            "until": _iso(self.until),
            "status": _key(STATUSES, self.verified),
            "regime": self.regime,
            "law": self.law,
            "model": self.model.label,
            "confidence": self.rule.confidence.label,
            **_rule_document(self.rule),
            "figure": self.figure,
            "exemptions": [asdict(offer) for offer in self.offers],
            "scoped": [{"data": s.data, "model": s.model.label} for s in self.scoped],
            "gpp_section": self.gpp_section,
            **asdict(self.research),
            "checked": _iso(self.research.checked),
            "reviewed": {"by": self.reviewed_by, "on": _iso(self.reviewed_on)},
            "overrides": [asdict(change) for change in self.changes],
        }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _key[T](options: Mapping[str, T], value: T) -> str:
    return next(key for key, option in options.items() if option == value)


def _rule_document(rule: Rule) -> dict[str, object]:
    return {
        "models": {str(purpose): model.label for purpose, model in rule.models},
        "banner": _key(BANNERS, rule.banner),
        "grant_days": rule.grant_days,
        "grant_limit": rule.grant_limit,
        "gap_days": rule.gap_days,
        "tracer_days": rule.tracer_days,
        "gpc": _key(SIGNALS, rule.gpc_binding),
        "gpc_override": rule.gpc_override,
        "signal_display": rule.signal_display,
        "reject_parity": rule.parity.label,
        "opt_out_link": rule.opt_out_link.label,
        "placement": _key(PLACEMENTS, rule.no_bottom),
    }
