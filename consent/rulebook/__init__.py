"""The rule book: which law wants what, for every place, as reviewed data.

`load()` gives the shipped book, `apply(book, overrides)` the book an operator made of
it, `problems(book)` what is wrong with either. docs/rulebook.md says how to read and
change the data.
"""

from consent.rulebook.book import Alias, Pseudo, RuleBook
from consent.rulebook.fields import RuleBookError
from consent.rulebook.files import load, read
from consent.rulebook.overrides import OverrideError, apply
from consent.rulebook.problems import problems, summary
from consent.rulebook.rows import Change, Offer, Research, Row, Scoped

__all__ = [
    "Alias",
    "Change",
    "Offer",
    "OverrideError",
    "Pseudo",
    "Research",
    "Row",
    "RuleBook",
    "RuleBookError",
    "Scoped",
    "apply",
    "load",
    "problems",
    "read",
    "summary",
]
