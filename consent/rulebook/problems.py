"""What is wrong with a rule book, in sentences, and what it consists of, in numbers.

`RuleBookError` stands for data that cannot be read at all; here are the mistakes that
can: a gap between two periods, a code that is not ISO 3166, a country left out, a row
that wants consent and asks nobody.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, combinations, pairwise
from typing import Final

from consent.core.scales import Banner, Confidence, Model
from consent.rulebook.book import RuleBook
from consent.rulebook.iso import Codes, installed_codes
from consent.rulebook.rows import Row

REGIME: Final = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")


def problems(book: RuleBook, codes: Codes | None = None) -> list[str]:
    """Every problem in one sentence; codes are checked when a library knows them."""
    codes = codes or installed_codes()
    found: Iterable[str] = chain(
        *(_in_time(book.periods_of(place)) for place in book.places()),
        *(_in_row(row) for row in (*book.rows, book.unknown)),
        _in_regimes(book),
        _in_links(book),
        _in_codes(book, codes) if codes else (),
    )
    return list(found)


def _called(row: Row) -> str:
    return f"{row.place} since {row.since}" if row.since else row.place


def _in_time(rows: tuple[Row, ...]) -> Iterator[str]:
    """Periods follow each other without gap or overlap; the last is open."""
    for row in rows:
        if row.since and row.until and row.until <= row.since:
            yield f"{_called(row)}: ends on {row.until}, before it begins"
    for before, after in pairwise(rows):
        if before.until != after.since:
            yield (
                f"{_called(after)}: the period before ends on {before.until}, "
                "so there is a gap or an overlap"
            )
    if rows[-1].until:
        yield f"{_called(rows[-1])}: the last period must be open"


def _in_row(row: Row) -> Iterator[str]:
    called = _called(row)
    asks = row.rule.banner is Banner.OPT_IN
    if row.model is Model.OPT_IN and not asks and not row.changes:
        yield f"{called}: the model is opt_in, but the banner does not ask"
    if asks and row.rule.model is not Model.OPT_IN:
        yield f"{called}: the banner asks, but no purpose is opt_in"
    if not REGIME.fullmatch(row.regime):
        yield f"{called}: {row.regime} is no regime code like EU_GDPR_EPD"
    if bool(row.reviewed_by) != bool(row.reviewed_on):
        yield f"{called}: a review wants both a name and a date"


def _in_regimes(book: RuleBook) -> Iterator[str]:
    """The same regime means the same model wherever it is in force at the same time."""
    by_regime: defaultdict[str, list[Row]] = defaultdict(list)
    for row in book.rows:
        if not row.changes:
            by_regime[row.regime].append(row)
    for regime, rows in by_regime.items():
        for one, other in combinations(rows, 2):
            if one.model is not other.model and _meet(one, other):
                yield f"{regime}: {_called(one)} and {_called(other)} differ in model"


def _meet(one: Row, other: Row) -> bool:
    return not (_before(one, other) or _before(other, one))


def _before(one: Row, other: Row) -> bool:
    return bool(one.until and other.since and one.until <= other.since)


def _in_links(book: RuleBook) -> Iterator[str]:
    """Aliases, pseudo-codes and lists of subdivisions fit the places there are."""
    places = set(book.places())
    for alias in book.aliases:
        if alias.of not in places:
            yield f"{alias.code}: the place {alias.of} it stands for has no row"
    taken = places | {alias.code for alias in book.aliases}
    for pseudo in book.pseudo:
        if pseudo.code in taken:
            yield f"{pseudo.code}: a pseudo-code must not be a place or an alias"
    for place in sorted(places):
        country, dash, _ = place.partition("-")
        if dash and place not in book.subdivisions.get(country, ()):
            yield f"{place}: not on the list of subdivisions of {country}"


def _in_codes(book: RuleBook, codes: Codes) -> Iterator[str]:
    """Codes are ISO 3166's, no country is missing, and the lists are complete."""
    known = codes.countries.union(*codes.subdivisions.values())
    claimed = {rows.place: rows.iso for rows in book.rows}
    claimed |= {alias.code: alias.iso for alias in book.aliases}
    for code, iso in sorted(claimed.items()):
        if iso != (code in known):
            wanted = "is not in" if iso else "is in"
            yield f"{code}: {wanted} ISO 3166 ({codes.source})"
    for country in sorted(codes.countries - set(claimed)):
        yield f"{country}: a country of ISO 3166-1 ({codes.source}) without a row"
    for country, listed in book.subdivisions.items():
        if listed != codes.subdivisions.get(country):
            yield f"{country}: its list of subdivisions is not that of {codes.source}"


@dataclass(frozen=True, slots=True)
class Summary:
    """How many places and periods a book has, and how well they are known."""

    places: int
    periods: int
    models: Counter[str]
    confidences: Counter[str]
    unverified: int
    unreviewed: int

    @property
    def low(self) -> int:
        return self.confidences[Confidence.LOW.label]

    def lines(self) -> Iterator[str]:
        """The summary as a table of two columns."""
        yield f"{'places':<24}{self.places:>5}"
        yield f"{'periods':<24}{self.periods:>5}"
        for model in Model:
            yield f"{'  model ' + model.label:<24}{self.models[model.label]:>5}"
        for level in Confidence:
            name = f"  confidence {level.label}"
            yield f"{name:<24}{self.confidences[level.label]:>5}"
        yield f"{'  unverified':<24}{self.unverified:>5}"
        yield f"{'  not reviewed':<24}{self.unreviewed:>5}"


def summary(book: RuleBook) -> Summary:
    """Count the rows of a book, the unknown place included."""
    rows = (*book.rows, book.unknown)
    return Summary(
        places=len(book.places()) + 1,
        periods=len(rows),
        models=Counter(row.model.label for row in rows),
        confidences=Counter(row.rule.confidence.label for row in rows),
        unverified=sum(not row.verified for row in rows),
        unreviewed=sum(not row.reviewed for row in rows),
    )
