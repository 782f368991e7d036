"""How much is read of what is sent: 16 KiB, however it comes."""

from typing import Final

from django.http import HttpRequest

from consent.forms.sent import UnreadableError

LARGEST_BODY: Final = 16 * 1024


def bytes_of(request: HttpRequest) -> bytes:
    """The body; UnreadableError where it is too long, before any of it is read.

    Django reads no further than the declared length, so that the order matters.
    """
    if too_long(request) or len(request.body) > LARGEST_BODY:
        raise UnreadableError(
            "The body is over 16 KiB.", status=413, kind="content_too_large"
        )
    return request.body


def too_long(request: HttpRequest) -> bool:
    """Whether the body says that it is too long, or does not say how long it is."""
    declared = request.headers.get("Content-Length") or "0"
    return not declared.isdecimal() or int(declared) > LARGEST_BODY
