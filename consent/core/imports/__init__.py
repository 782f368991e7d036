"""Answers that people gave to an earlier tool: what they say, and what of it counts."""

from consent.core.imports.answers import Earlier, by_purpose
from consent.core.imports.cookies import LARGEST, Tool, read
from consent.core.imports.counting import counted
from consent.core.imports.declared import Declared, declared

__all__ = [
    "LARGEST",
    "Declared",
    "Earlier",
    "Tool",
    "by_purpose",
    "counted",
    "declared",
    "read",
]
