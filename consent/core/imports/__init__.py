"""Answers that people gave to an earlier tool: what they say, and what of it counts."""

from consent.core.imports.answers import Earlier, by_purpose
from consent.core.imports.cookies import LARGEST, Tool, read
from consent.core.imports.counting import counted
from consent.core.imports.declared import Declared, declared, purposes
from consent.core.imports.rows import Row, row, said, together
from consent.core.imports.tables import Role, Source, Table, Wishes, table

__all__ = [
    "LARGEST",
    "Declared",
    "Earlier",
    "Role",
    "Row",
    "Source",
    "Table",
    "Tool",
    "Wishes",
    "by_purpose",
    "counted",
    "declared",
    "purposes",
    "read",
    "row",
    "said",
    "table",
    "together",
]
