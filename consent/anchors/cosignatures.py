"""Co-signatures (C2SP tlog-witness, tlog-cosignature): a witness saw the log grow.

The witness remembers the last checkpoint of the log that it signed, and signs a newer
one only with a proof that the log continues that. So it notices what nobody here would:
a log that was rewritten, and a database that was put back.
"""

import base64
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from consent import ledger
from consent.anchors import posting
from consent.anchors.outcome import AnchorError, Said
from consent.anchors.outsiders import Witness
from consent.anchors.posting import Answer
from consent.core.signed_note import (
    NoteError,
    NoteSignature,
    VerifierKey,
    cosignature_message,
    parse_note,
    signature_line,
)
from consent.models import Anchor, Checkpoint

_TIME_BYTES: Final = 8
_LONGEST_SIZE: Final = 20
_REFUSALS: Final[dict[int, str]] = {
    HTTPStatus.NOT_FOUND: "it does not know this log: tell its operator the origin and "
    "the key, which stand under /log/SITE/key",
    HTTPStatus.FORBIDDEN: "it knows no key that signed this checkpoint: tell its "
    "operator the newest, which stands under /log/SITE/key",
}


def cosign(asked: Witness, checkpoint: Checkpoint) -> Said:
    """Have a checkpoint co-signed; AnchorError where no good line comes back.

    An alarm where the witness knows another history of the log, or a longer one.
    """
    old = _last_seen(asked, checkpoint)
    answer = _submit(asked, checkpoint, old)
    if answer.status == HTTPStatus.CONFLICT:
        old = _held(answer)
        _require_no_longer(checkpoint, old)
        answer = _submit(asked, checkpoint, old)
    _require_signed(answer, same_size=old == checkpoint.tree_size)
    return line_in(answer.body, note=checkpoint.note, key=asked.key)


def _last_seen(asked: Witness, checkpoint: Checkpoint) -> int:
    """The size that this witness last signed, as far as we know; 0 for none."""
    signed = Anchor.objects.filter(
        site=checkpoint.site_id,
        log=checkpoint.log,
        kind=Anchor.Kind.COSIGNATURE,
        name=asked.name,
        tree_size__lte=checkpoint.tree_size,
    )
    last = signed.order_by("-tree_size").values_list("tree_size", flat=True).first()
    return last or 0


def _submit(asked: Witness, checkpoint: Checkpoint, old: int) -> Answer:
    """POST add-checkpoint: the old size, the proof from it, and the signed note."""
    proof = ledger.consistency_between(
        site=checkpoint.site,
        log=checkpoint.log,
        old_size=old,
        size=checkpoint.tree_size,
    )
    lines = [f"old {old}", *(base64.b64encode(digest).decode() for digest in proof), ""]
    question = "".join(f"{line}\n" for line in lines) + checkpoint.note
    address = f"{asked.url.rstrip('/')}/add-checkpoint"
    return posting.post(
        address, question.encode(), content_type="text/plain; charset=utf-8"
    )


def _held(answer: Answer) -> int:
    """The size that the witness holds, from a 409."""
    text = answer.body.removesuffix(b"\n")
    if len(text) > _LONGEST_SIZE or not text.isdigit():
        raise AnchorError("It answered 409 without the size that it holds.")
    return int(text)


def _require_no_longer(checkpoint: Checkpoint, held: int) -> None:
    """Refuse to go on where the witness saw more of the log than there is."""
    if held <= checkpoint.tree_size:
        return
    newest = ledger.newest_checkpoint(site=checkpoint.site, log=checkpoint.log)
    size = newest.tree_size if newest else 0
    if held <= size:
        raise AnchorError("It signed a newer checkpoint meanwhile.")
    raise AnchorError(
        f"It signed {held} entries of this log, which now has {size}: an older backup "
        "was put back, or somebody else signs with the key. Run manage.py "
        "verify_ledger.",
        alarm=True,
    )


def _require_signed(answer: Answer, *, same_size: bool) -> None:
    """Refuse every answer but a signature.

    What the witness cannot follow is a 422; of another root at the same size, version
    1.0.0 of the specification makes a 409.
    """
    if answer.status == HTTPStatus.OK:
        return
    status = answer.status
    if status == HTTPStatus.UNPROCESSABLE_ENTITY or (
        status == HTTPStatus.CONFLICT and same_size
    ):
        raise AnchorError(
            "It refuses to sign: what it saw of this log before is not what stands "
            "there now. The log was rewritten. Run manage.py verify_ledger.",
            alarm=True,
        )
    raise AnchorError(f"It answered {status}: {_REFUSALS.get(status, answer.words)}")


def line_in(lines: bytes, *, note: str, key: VerifierKey) -> Said:
    """The good signature line of a key among a witness's lines, with its time.

    Lines of other keys are left out. AnchorError where there is no good one.
    """
    try:
        whole = parse_note(note + lines.decode())
    except (NoteError, UnicodeError) as error:
        raise AnchorError("It did not answer with signature lines.") from error
    text = parse_note(note).text
    for line in whole.signatures:
        if whole.text == text and (line.name, line.hash) == (key.name, key.hash):
            return _verified(line, text=text, key=key)
    raise AnchorError("It did not sign with its key in CONSENT_WITNESSES.")


def _verified(line: NoteSignature, *, text: str, key: VerifierKey) -> Said:
    told = line.signature[:_TIME_BYTES]
    public = Ed25519PublicKey.from_public_bytes(key.public)
    try:
        seconds = int.from_bytes(told, "big")
        message = cosignature_message(text=text, timestamp=seconds)
        public.verify(line.signature[_TIME_BYTES:], message)
        at = datetime.fromtimestamp(seconds, UTC)
    except (InvalidSignature, NoteError, ValueError, OverflowError, OSError) as error:
        raise AnchorError("Its signature is no good.") from error
    kept = signature_line(name=line.name, hash=line.hash, signature=line.signature)
    return Said(token=kept.encode(), time=at)
