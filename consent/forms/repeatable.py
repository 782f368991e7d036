"""The header that makes a request one that may be sent again."""

import re
from typing import Final

from django.http import HttpRequest

from consent.choices import Repeatable
from consent.forms.sent import UnreadableError
from consent.forms.size import bytes_of

HEADER: Final = "Idempotency-Key"
# As most senders write it, or in the quotation marks of a structured field.
_KEY: Final = re.compile(r'(?P<quote>"?)(?P<key>[A-Za-z0-9._~:/+=-]{16,128})(?P=quote)')


def repeatable(request: HttpRequest) -> Repeatable | None:
    """The request with its key; None where it has none.

    UnreadableError for a key that is none, and for a body that is too long.
    """
    sent = request.headers.get(HEADER)
    if sent is None:
        return None
    found = _KEY.fullmatch(sent.strip())
    if found is None:
        raise UnreadableError(
            f"{HEADER} is 16 to 128 letters, digits and . _ ~ : / + = -.",
            status=400,
            kind="invalid_idempotency_key",
        )
    return Repeatable(found["key"], bytes_of(request))
