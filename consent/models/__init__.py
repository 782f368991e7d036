"""The schema: sites and what they ask, the ledger and its log, what people chose."""

from consent.models.api_key import ApiKey
from consent.models.counts import Count
from consent.models.identity import IdentityKey, Linked, UsedToken
from consent.models.ledger import Content, Entry, Link, Removal, Restricted, Waiting
from consent.models.log import Anchor, Checkpoint, Leaf, Log, PublicKey, Tile
from consent.models.preference import Preference
from consent.models.repeat import Repeat
from consent.models.site import (
    Asset,
    Erasure,
    Notice,
    PolicyVersion,
    RuleBookVersion,
    Site,
)

__all__ = [
    "Anchor",
    "ApiKey",
    "Asset",
    "Checkpoint",
    "Content",
    "Count",
    "Entry",
    "Erasure",
    "IdentityKey",
    "Leaf",
    "Link",
    "Linked",
    "Log",
    "Notice",
    "PolicyVersion",
    "Preference",
    "PublicKey",
    "Removal",
    "Repeat",
    "Restricted",
    "RuleBookVersion",
    "Site",
    "Tile",
    "UsedToken",
    "Waiting",
]
