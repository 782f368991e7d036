"""The rows of a kept rule book that a record's rule was made from."""

from collections.abc import Iterator, Mapping
from typing import Any

from consent.core.jurisdictions import UNKNOWN_PLACE


def rows_of(rule: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """The rows behind the name of a rule (`FR`, `CA+US`, `US-*`), by place.

    Each with its name and all its periods, as the rule book's document has them; the
    unknown place, and a place that the book does not hold, have the book's `unknown`.
    """
    places = document["places"]
    return {
        place: places.get(place, document["unknown"])
        for part in rule.split("+")
        for place in _places(part, places)
    }


def _places(part: str, places: Mapping[str, Any]) -> Iterator[str]:
    """One place; of `US-*` the country and all its subdivisions that have rows."""
    country = part.removesuffix("-*")
    yield country if country in places else UNKNOWN_PLACE
    if country != part:
        yield from sorted(place for place in places if place.startswith(f"{country}-"))


def names_of(rule: str, document: Mapping[str, Any]) -> list[str]:
    """What the places of a rule are called; empty for the unknown place alone."""
    heads = (part.removesuffix("-*") for part in rule.split("+"))
    return [document["places"][p]["name"] for p in heads if p in document["places"]]
