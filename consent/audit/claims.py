"""What a record in the log proves, and what it does not: said wherever proof is shown.

`verify_evidence.py` says the same in its own words, because it imports nothing.
"""

from typing import Final

from django.utils.translation import gettext_lazy as _

ALWAYS: Final = _(
    "Always: this record is in this log, unchanged since any checkpoint or receipt "
    "that somebody outside holds."
)
WITH_ANCHORS: Final = _("With anchors: it existed before the anchor’s time.")
NEVER: Final = _("Never: that every click was recorded.")

CLAIMS: Final = (ALWAYS, WITH_ANCHORS, NEVER)
