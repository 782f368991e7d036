"""What places are called, in the language of whoever reads it (Unicode CLDR).

Of countries the repository knows the names in every language; a part of a country keeps
the name that its row of the rule book has, beside that of the country.
"""

from functools import cache, lru_cache

from babel import Locale
from babel.core import UnknownLocaleError
from django.utils.translation import to_locale

from consent.core.jurisdictions import UNKNOWN_PLACE
from consent.rulebook import Row, RuleBook


def name(row: Row, language: str) -> str:
    """What the place of a row is called; the row's own name where CLDR has none."""
    country, _dash, part = row.place.partition("-")
    found = _territories(language).get(country)
    if found is None or not row.iso:
        return row.name
    return f"{found} – {row.name}" if part else found


@lru_cache(maxsize=256)  # an old rule book is let go of
def choices(book: RuleBook, language: str) -> tuple[tuple[str, str], ...]:
    """All places of a rule book as (code, name), in the order of their names."""
    rows = {row.place: row for row in book.rows if row.place != UNKNOWN_PLACE}
    named = ((place, name(row, language)) for place, row in rows.items())
    return tuple(sorted(named, key=lambda pair: pair[1].casefold()))


@cache
def _territories(language: str) -> dict[str, str]:
    try:
        return dict(Locale.parse(to_locale(language)).territories)
    except (UnknownLocaleError, ValueError):
        return {}
