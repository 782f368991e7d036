"""RECORD and REMEMBER: a choice becomes a record, and the account's current choice.

Each of these is one transaction: the record, what it points at, and the account's row
are kept together or not at all, and nothing is answered before the commit.
"""

from consent.choices.choosing import Answers, choose, note_signal, opt_out
from consent.choices.history import (
    LONGEST_PAGE,
    Place,
    history,
    history_page,
    own_receipts,
)
from consent.choices.importing import bring, take_over
from consent.choices.keeping import Recorded, carry
from consent.choices.linking import (
    Joined,
    UsedAlreadyError,
    forget_used,
    link,
    unlink,
)
from consent.choices.repeating import (
    KEPT,
    RecordGoneError,
    Repeatable,
    ReusedKeyError,
    forget_keys,
    once,
    repeated,
)
from consent.choices.signing_in import arrive, sign_in

__all__ = [
    "KEPT",
    "LONGEST_PAGE",
    "Answers",
    "Joined",
    "Place",
    "RecordGoneError",
    "Recorded",
    "Repeatable",
    "ReusedKeyError",
    "UsedAlreadyError",
    "arrive",
    "bring",
    "carry",
    "choose",
    "forget_keys",
    "forget_used",
    "history",
    "history_page",
    "link",
    "note_signal",
    "once",
    "opt_out",
    "own_receipts",
    "repeated",
    "sign_in",
    "take_over",
    "unlink",
]
