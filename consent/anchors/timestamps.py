"""Time-stamps (RFC 3161): an authority signs that a checkpoint existed at a time.

What is stamped is the SHA-256 of the note as our own keys signed it, `Checkpoint.note`
in UTF-8, our signature lines included: so that the signature, too, is shown to be as
old, should the key be lost to somebody later. Witnesses' lines come and go, and are no
part of it. The authority sees the hash alone.
"""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Final

from cryptography.x509 import Certificate
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from consent.anchors import posting
from consent.anchors.outcome import AnchorError, Said
from consent.anchors.outsiders import Authority
from consent.models import Checkpoint

_QUERY: Final = "application/timestamp-query"  # RFC 3161 section 3.4
_LONGEST_REASON: Final = 200


def stamp(asked: Authority, checkpoint: Checkpoint) -> Said:
    """Have a checkpoint's note stamped; AnchorError where no good token comes back."""
    note = checkpoint.note.encode()
    question = TimestampRequestBuilder(note, HashAlgorithm.SHA256).build()
    answer = posting.post(asked.url, question.as_bytes(), content_type=_QUERY)
    if answer.status != HTTPStatus.OK:
        raise AnchorError(f"It answered {answer.status}: {answer.words}")
    at = time_in(answer.body, note=note, trusted=asked.trusted, nonce=question.nonce)
    return Said(token=answer.body, time=at)


def time_in(
    token: bytes,
    *,
    note: bytes,
    trusted: Sequence[Certificate],
    nonce: int | None = None,
) -> datetime:
    """The time that a token tells, after everything in it was checked.

    Signed by an authority that leads to a trusted root as of that time, for this note,
    and in answer to `nonce` where one is given. AnchorError where anything is wrong.
    """
    try:
        response = decode_timestamp_response(token)
        _require_granted(response)
        verifier = VerifierBuilder(roots=list(trusted), nonce=nonce).build()
        verifier.verify_message(response, note)
        at = response.tst_info.gen_time
    except (VerificationError, ValueError) as error:
        reason = str(error)[:_LONGEST_REASON]
        raise AnchorError(f"The time-stamp is no good: {reason}") from error
    return at


def _require_granted(response: TimeStampResponse) -> None:
    if response.status != PKIStatus.GRANTED:
        said = " ".join(response.status_string)[:_LONGEST_REASON]
        raise AnchorError(f"It grants no time-stamp (status {response.status}): {said}")
