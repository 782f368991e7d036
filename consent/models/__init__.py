"""The schema: sites and what they ask, the ledger, and what people chose."""

from consent.models.ledger import Checkpoint, Content, Entry, Leaf, Link, Tile, Waiting
from consent.models.preference import Preference
from consent.models.site import Notice, PolicyVersion, RuleBookVersion, Site

__all__ = [
    "Checkpoint",
    "Content",
    "Entry",
    "Leaf",
    "Link",
    "Notice",
    "PolicyVersion",
    "Preference",
    "RuleBookVersion",
    "Site",
    "Tile",
    "Waiting",
]
