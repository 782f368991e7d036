"""Which law applies to a visitor: places, rules, and their stricter combination.

A `Rule` says what one jurisdiction wants in one period. `rule_for` finds the rule of a
location in a table that is handed in; it never knows the table, the clock or a country
by name. `combine` joins rules field by field so that the result is at least as strict
as each of them; it is commutative, associative and idempotent, because every field is
joined by a minimum, a maximum, a union or an intersection.

>>> from datetime import date
>>> ask = Rule(
...     regimes=frozenset({Regime("FR", "EU_GDPR_EPD", "Loi 78-17 art. 82")}),
...     confidence=Confidence.HIGH, models=uniform(Model.OPT_IN),
...     banner=Banner.OPT_IN, grant_days=180, grant_limit=180, gap_days=180)
>>> rules = Rules(version="1", periods={"FR": (Period(rule=ask),)}, unknown=ask)
>>> rule_for(rules=rules, location=Location(country="FR"), on=date(2026, 11, 23)).name
'FR'
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import reduce
from typing import Final

from consent.core.purposes import OPTIONAL, Purpose
from consent.core.scales import (
    Banner,
    Confidence,
    Exemption,
    Model,
    OptOutLink,
    Parity,
)

UNKNOWN_PLACE: Final = "*"


class Source(StrEnum):
    """Where the knowledge of a location comes from."""

    GEOIP = "geoip"
    HEADER = "header"
    DECLARED = "declared"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Location:
    """Where a visitor seems to be: ISO 3166-1 country and ISO 3166-2 subdivision.

    `also` names other places the visitor may be in (sources that disagree, a declared
    region): the rule is then the combination. `anonymous` says that the address hides
    its place (Tor, VPN, proxy, anycast). `database` names edition and build date.
    """

    country: str | None = None
    subdivision: str | None = None
    source: Source = Source.UNKNOWN
    also: tuple[str, ...] = ()
    anonymous: bool = False
    database: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class Regime:
    """The legal regime of one place: its code in the rule book, and the law's name."""

    place: str
    code: str
    law: str


type Models = tuple[tuple[Purpose, Model], ...]


def uniform(model: Model) -> Models:
    """The same model for every optional purpose."""
    return tuple((purpose, model) for purpose in OPTIONAL)


@dataclass(frozen=True, slots=True)
class Rule:
    """What the law of one place, or of several places combined, wants.

    `grant_days` is the life of a grant by default and `grant_limit` the most a site may
    choose; `gap_days` the shortest time before asking again after a refusal;
    `tracer_days` the longest life of the tracer itself where an authority names one.
    `gpc_binding` says that Global Privacy Control binds by law (else it is honoured by
    courtesy), `gpc_override` that a later specific grant may override it, and
    `signal_display` that the site must show that it processed the signal.
    `no_bottom` forbids a banner that stands only at the bottom of the page.
    """

    regimes: frozenset[Regime]
    confidence: Confidence
    models: Models
    banner: Banner
    grant_days: int
    grant_limit: int
    gap_days: int
    tracer_days: int | None = None
    gpc_binding: bool = False
    gpc_override: bool = True
    signal_display: bool = False
    parity: Parity = Parity.UNSPECIFIED
    opt_out_link: OptOutLink = OptOutLink.NONE
    no_bottom: bool = False
    exemptions: frozenset[Exemption] = frozenset()

    @property
    def places(self) -> frozenset[str]:
        return frozenset(regime.place for regime in self.regimes)

    @property
    def name(self) -> str:
        """The places this rule speaks for, as one stable word: `FR`, `US-*`, `CA+US`.

        `US-*` is the United States combined with rows of its states.
        """
        parents = _parents(self.places)
        return "+".join(
            f"{r.place}-*" if r.place in parents else r.place for r in self._heads()
        )

    @property
    def regime(self) -> str:
        return "+".join(regime.code for regime in self._heads())

    @property
    def law(self) -> str:
        """The laws behind the rule; of a country with its parts, the country's own."""
        return "; ".join(regime.law for regime in self._heads())

    def _heads(self) -> list[Regime]:
        """The regimes without those of subdivisions whose country speaks for them."""
        countries = {place for place in self.places if "-" not in place}
        heads = (
            r
            for r in self.regimes
            if "-" not in r.place or r.place.partition("-")[0] not in countries
        )
        return sorted({(r.place, r.code): r for r in sorted(heads)}.values())

    @property
    def model(self) -> Model:
        """The strictest model of any purpose."""
        return max(model for _, model in self.models)

    def model_for(self, purpose: Purpose) -> Model:
        """The model for one purpose; what is not named gets the strictest."""
        for named, model in self.models:
            if named is purpose:
                return model
        return self.model


def _parents(places: frozenset[str]) -> set[str]:
    """The countries that some of the places are subdivisions of."""
    return {place.partition("-")[0] for place in places if "-" in place}


def _shortest(a: int | None, b: int | None) -> int | None:
    known = [days for days in (a, b) if days is not None]
    return min(known) if known else None


def combine(a: Rule, b: Rule) -> Rule:
    """Join two rules field by field into one at least as strict as each (rule 10).

    Models, banner and duties take the higher, lives the shorter, gaps the longer, and
    exemptions only what both allow. Confidence is the lower of the two, because a
    combination is known no better than its least known part.
    """
    return Rule(
        regimes=a.regimes | b.regimes,
        confidence=max(a.confidence, b.confidence),
        models=tuple((p, max(a.model_for(p), b.model_for(p))) for p in OPTIONAL),
        banner=max(a.banner, b.banner),
        grant_days=min(a.grant_days, b.grant_days),
        grant_limit=min(a.grant_limit, b.grant_limit),
        gap_days=max(a.gap_days, b.gap_days),
        tracer_days=_shortest(a.tracer_days, b.tracer_days),
        gpc_binding=a.gpc_binding or b.gpc_binding,
        gpc_override=a.gpc_override and b.gpc_override,
        signal_display=a.signal_display or b.signal_display,
        parity=max(a.parity, b.parity),
        opt_out_link=max(a.opt_out_link, b.opt_out_link),
        no_bottom=a.no_bottom or b.no_bottom,
        exemptions=a.exemptions & b.exemptions,
    )


@dataclass(frozen=True, slots=True)
class Period:
    """One rule from `since` (inclusive) until `until` (exclusive); None is open.

    A period that is not `verified` (commencement or status was not found) is served as
    the unknown place until a person has reviewed it.
    """

    rule: Rule
    since: date | None = None
    until: date | None = None
    verified: bool = True

    def covers(self, day: date) -> bool:
        begun = self.since is None or self.since <= day
        return begun and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rule book: periods per place, aliases, and the rule for unknown places.

    `subdivisions` lists, for every country that has rows of its own for some of its
    subdivisions, all ISO 3166-2 codes of that country: a code on the list without a
    row has the country's rule, a code that is not on the list is an unknown
    subdivision. `version` names the table by the hash of its content.
    """

    version: str
    periods: Mapping[str, tuple[Period, ...]]
    unknown: Rule
    aliases: Mapping[str, str] = field(default_factory=dict)
    subdivisions: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def canonical(self, place: str) -> str:
        """The code under which the table keeps a place (`UK` is `GB`)."""
        return self.aliases.get(place, place)

    def on(self, place: str, day: date) -> Rule:
        """The rule of exactly this place on a day; unknown where none is in force."""
        return self._in_force(place, day) or self.unknown

    def _in_force(self, place: str, day: date) -> Rule | None:
        """The rule of a period that covers the day; unknown for an unverified one."""
        for period in self.periods.get(place, ()):
            if period.covers(day):
                return period.rule if period.verified else self.unknown
        return None

    def parts(self, country: str, day: date) -> list[Rule] | None:
        """The rules of a country's subdivisions in force; None where it has no rows."""
        places = sorted(p for p in self.periods if p.startswith(f"{country}-"))
        found = (self._in_force(place, day) for place in places)
        return [rule for rule in found if rule is not None] if places else None


def rule_for(*, rules: Rules, location: Location, on: date | frozenset[date]) -> Rule:
    """The rule that applies to a location on a day, or on several days combined.

    The most specific row wins: subdivision, then country, then unknown (rule 1). A code
    that the rule book does not hold is unknown, never "no banner". A country whose
    subdivision is unknown gets its own row combined with all rows of its subdivisions
    in force. Several days (the UTC date and the place's local date) and several places
    (`location.also`) are combined, and a hidden place is combined with the unknown one.
    """
    days = on if isinstance(on, frozenset) else frozenset({on})
    places = [_place(rules, location.country, location.subdivision)]
    places += [_split(rules, code) for code in location.also]
    found = [
        rule
        for day in days
        for place in places
        for rule in _rules_at(rules, place, day)
    ]
    if location.anonymous or not found:
        found.append(rules.unknown)
    return reduce(combine, found)


type _Place = tuple[str | None, str | None]


def _split(rules: Rules, code: str) -> _Place:
    country = code.partition("-")[0]
    return _place(rules, country, code if "-" in code else None)


def _place(rules: Rules, country: str | None, subdivision: str | None) -> _Place:
    """Normalise a place; only a whole code of the same country is believed.

    `US-PR` is Puerto Rico, which has a country code of its own. A bare `CA` beside
    `US` could be California or Canada, so that the subdivision is unknown.
    """
    if country is None:
        return None, None
    country = rules.canonical(country)
    if subdivision is None or not subdivision.startswith(f"{country}-"):
        return country, None
    known = rules.canonical(subdivision)
    return (country, known) if "-" in known else (known, None)


def _rules_at(rules: Rules, place: _Place, day: date) -> list[Rule]:
    country, subdivision = place
    if country is None or country not in rules.periods:
        return [rules.unknown]
    if subdivision is not None and subdivision in rules.periods:
        return [rules.on(subdivision, day)]
    own = rules.on(country, day)
    parts = rules.parts(country, day)
    if parts is None or subdivision in rules.subdivisions.get(country, frozenset()):
        return [own]
    return [own, *parts]
