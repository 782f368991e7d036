"""What an operator or a site changes in the rule book, openly and with a reason.

An override names a place or a whole regime, the fields it changes, who wants it and
why. It is laid over the rows as they were stated and read again, so it obeys the same
checks. It only changes what is there: a place without a row stays unknown. To make the
unknown place less strict is refused unless the override says so by name
(`ACCEPT_LOWERED`), and the book that results says it too (`lowered_unknown`), so that
callers log it: never a silent "no banner" for places nobody knows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, NoReturn, cast

from consent.core.canonical import Json, canonical
from consent.core.jurisdictions import Rule, combine
from consent.rulebook.book import RuleBook
from consent.rulebook.fields import Fields, Given, RuleBookError
from consent.rulebook.reading import row_from
from consent.rulebook.rows import Change, Row

ACCEPT_LOWERED: Final = "accept_unknown_without_banner"
LEAST_WORDS: Final = 4

CHANGEABLE: Final = frozenset(
    {
        "model",
        "purpose_models",
        "banner",
        "grant_days",
        "gap_days",
        "tracer_days",
        "gpc",
        "gpc_override",
        "signal_display",
        "reject_parity",
        "opt_out_link",
        "placement",
        "exemptions",
        "status",
    }
)


class OverrideError(RuleBookError):
    """An override that is not accepted; the message says which one and why."""


@dataclass(frozen=True, slots=True)
class Override:
    """One override, read: what it is laid over, in which time, with what fields."""

    where: str
    place: str
    regime: str
    since: date | None
    until: date | None
    fields: Given
    change: Change
    accepted: str

    def touches(self, row: Row) -> bool:
        """Whether the override names the row and their times overlap."""
        if self.regime:  # a whole regime is not meant to vouch for unread commencement
            vouched = row.verified or "status" in self.fields
            named = self.regime == row.regime and vouched
        else:
            named = self.place == row.place
        begun = self.until is None or row.since is None or row.since < self.until
        ended = bool(self.since and row.until and row.until <= self.since)
        return named and begun and not ended


def apply(book: RuleBook, overrides: Iterable[Mapping[str, object]]) -> RuleBook:
    """The book with overrides laid over it, in order; a wrong one: `OverrideError`."""
    for number, given in enumerate(overrides, start=1):
        where = f"override {number}"
        try:
            book = _applied(book, _read(book, where, given), given)
        except RuleBookError as error:
            raise OverrideError(_named(where, str(error))) from error
    return book


def _named(where: str, sentence: str) -> str:
    return sentence if sentence.startswith(where) else f"{where}: {sentence}"


def _read(book: RuleBook, where: str, given: Mapping[str, object]) -> Override:
    table = Fields(where, given)
    place, regime = table.text("place", ""), table.text("regime", "")
    if bool(place) == bool(regime):
        table.refuse("name either a place or a regime")
    by, reason = table.text("by"), table.text("reason")
    accepted = table.text(ACCEPT_LOWERED, "")
    since, until = table.day("since"), table.day("until")
    if since and until and until <= since:
        table.refuse("until must be later than since")
    fields = table.rest()
    _refuse_others(table, fields)
    return Override(
        where=f"{where} ({place or regime})",
        place=book.place(place),
        regime=regime,
        since=since,
        until=until,
        fields=fields,
        change=Change(tuple(sorted(fields)), by, reason),
        accepted=accepted,
    )


def _refuse_others(table: Fields, fields: Given) -> None:
    if not fields:
        table.refuse("nothing to change")
    others = sorted(set(fields) - CHANGEABLE)
    if others:
        table.refuse(f"{', '.join(others)} cannot be overridden")


def _applied(
    book: RuleBook, override: Override, given: Mapping[str, object]
) -> RuleBook:
    rows = tuple(part for row in book.rows for part in _laid_over(override, row))
    unknown = _unknown(book, override)
    if rows == book.rows and unknown is book.unknown:
        _refuse(override, "no row of the rule book has that place, regime and time")
    return replace(
        book,
        rows=rows,
        unknown=unknown,
        overrides=(*book.overrides, _plain(override, given)),
        lowered_unknown=book.lowered_unknown
        or not at_least_as_strict(unknown.rule, book.unknown.rule),
    )


def _plain(override: Override, given: Mapping[str, object]) -> Given:
    """The override as JSON values, to be kept with the table it made."""
    plain = {k: v.isoformat() if isinstance(v, date) else v for k, v in given.items()}
    try:
        canonical(cast(Json, plain))
    except (TypeError, ValueError) as error:
        _refuse(override, f"it cannot be kept as plain JSON: {error}")
    return plain


def _refuse(override: Override, sentence: str) -> NoReturn:
    Fields(override.where, {}).refuse(sentence)


def _laid_over(override: Override, row: Row) -> list[Row]:
    """The row, cut where the override begins and ends, with its part changed."""
    if not override.touches(row):
        return [row]
    since = max(filter(None, (row.since, override.since)), default=None)
    until = min(filter(None, (row.until, override.until)), default=None)
    parts = [_changed(override, row, since, until)]
    if since != row.since:
        parts.insert(0, _cut(row, row.since, since))
    if until != row.until:
        parts.append(_cut(row, until, row.until))
    return parts


def _cut(row: Row, since: date | None, until: date | None) -> Row:
    given = {**row.given, "since": since, "until": until}
    return replace(row, since=since, until=until, given=given)


def _changed(
    override: Override, row: Row, since: date | None, until: date | None
) -> Row:
    """The row with the override's fields; a new model brings its own banner."""
    stated = dict(row.given)
    if "model" in override.fields:
        stated = {k: v for k, v in stated.items() if k not in _OF_THE_MODEL}
    stated |= {**override.fields, "since": since, "until": until}
    changed = row_from(row.place, row.name, stated, iso=row.iso)
    _refuse_short_gap(override, changed)
    if not (row.verified or changed.verified):
        _refuse(override, f'{row.place} is unverified: say "status": "verified" too')
    return replace(changed, changes=(*row.changes, override.change))


_OF_THE_MODEL: Final = frozenset({"banner", "banner_before_tags", "purpose_models"})


def _refuse_short_gap(override: Override, row: Row) -> None:
    wanted, least = override.fields.get("gap_days"), row.rule.gap_days
    if wanted is not None and wanted != least:
        _refuse(override, f"gap_days {wanted} is below {least} days for {row.place}")


def _unknown(book: RuleBook, override: Override) -> Row:
    row = book.unknown
    if not override.touches(row):
        return row
    if override.since or override.until:
        _refuse(override, "the unknown place has no dates: leave out since and until")
    changed = _changed(override, row, None, None)
    lowered = not at_least_as_strict(changed.rule, row.rule)
    if lowered and not _accepts(override.accepted):
        _refuse(
            override,
            f"this makes unknown places less strict; to do so on purpose, add "
            f'"{ACCEPT_LOWERED}" with a sentence that names the unknown places',
        )
    return changed


def _accepts(sentence: str) -> bool:
    """A sentence of some words, one of them "unknown": no flag, no empty string."""
    words = sentence.lower().split()
    return len(words) >= LEAST_WORDS and any("unknown" in word for word in words)


def at_least_as_strict(rule: Rule, than: Rule) -> bool:
    """Whether joining the other rule to this one changes no field of the law."""
    joined = combine(rule, than)
    return replace(joined, regimes=rule.regimes, confidence=rule.confidence) == rule
