"""JSON as it is meant (RFC 8259): what could be read in two ways is not read at all."""

import json
from typing import Any, NoReturn


def strictly(text: str | bytes) -> Any:  # noqa: ANN401 - whatever the text holds
    """The value in a text; ValueError for what is no JSON, or says a member twice.

    RecursionError for what is nested too deep.
    """
    return json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; one that says a member twice could be read as a yes or a no."""
    found = dict(members)
    if len(found) < len(members):
        raise ValueError("a member is there twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
