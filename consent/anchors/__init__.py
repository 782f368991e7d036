"""Anchors: what people outside say about a site's newest checkpoint.

A time-stamp (RFC 3161) says that a checkpoint existed at a time, a witness's
co-signature (C2SP tlog-witness) that the log only grew since the witness last saw it.
Both are optional, asked for by the worker or `manage.py anchor_ledger`, and never
while somebody waits for a choice: what goes wrong is told of and tried again later.
"""

from consent.anchors.anchoring import anchor, due, forget
from consent.anchors.outcome import Outcome
from consent.anchors.outsiders import anybody_asked, setting_problems
from consent.anchors.verifying import verify

__all__ = [
    "Outcome",
    "anchor",
    "anybody_asked",
    "due",
    "forget",
    "setting_problems",
    "verify",
]
