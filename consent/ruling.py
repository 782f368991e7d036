"""Which rule applies at a place and a moment, remembered for each day."""

from datetime import date, datetime
from functools import lru_cache

from consent.core.jurisdictions import Location, Rule, Rules, rule_for
from consent.publication import Published


def rule_at(here: Published, location: Location, now: datetime) -> Rule:
    """The rule of a location at a moment: the UTC date and the local one combined."""
    table = _ById(here.book.version, here.book.rules)
    days = here.book.days(location, now=now)
    return _remembered(table, _bare(location), days)


def _bare(location: Location) -> Location:
    """The location without what the rule does not depend on, as a key to remember."""
    return Location(
        country=location.country,
        subdivision=location.subdivision,
        also=location.also,
        anonymous=location.anonymous,
    )


class _ById:
    """A rule table that is remembered by its version, not by its content."""

    __slots__ = ("rules", "version")

    def __init__(self, version: str, rules: Rules) -> None:
        self.version = version
        self.rules = rules

    def __hash__(self) -> int:
        return hash(self.version)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and other.version == self.version


@lru_cache(maxsize=4096)
def _remembered(table: _ById, location: Location, days: frozenset[date]) -> Rule:
    return rule_for(rules=table.rules, location=location, on=days)
