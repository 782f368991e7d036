"""Tables of answers that people gave to an earlier tool, taken over in bulk.

A table is read twice: once to find all that is wrong with it, when nothing is written,
and once to import it, some hundred answers in a transaction. What was imported stands
in the log, so that a run that was stopped goes on, and none is done twice.
"""

from consent.imports.people import People, visitor_of, visitors_of
from consent.imports.reading import Bad, FileError, TableFile
from consent.imports.running import Counts, Plan, PlanError, check, run

__all__ = [
    "Bad",
    "Counts",
    "FileError",
    "People",
    "Plan",
    "PlanError",
    "TableFile",
    "check",
    "run",
    "visitor_of",
    "visitors_of",
]
