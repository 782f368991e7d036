"""The evidence pack: a person's records, and all it takes to check them offline."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import Any, Final

from consent.audit.bundle import as_json, bundle
from consent.audit.log_evidence import LogEvidence, log_evidence
from consent.audit.people import Found
from consent.audit.pointed_at import documents
from consent.audit.readme import VERIFIER, readme
from consent.audit.receipts import public_keys, without_log
from consent.core.record import timestamp
from consent.models import Removal, Site

FORMAT: Final = "consent-evidence/1"
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack's bytes, and what it holds: records, and those not in the tree yet."""

    body: bytes
    records: int
    unsealed: int


def evidence(
    *, site: Site, records: Sequence[Found], kept_outside: Sequence[str] = ()
) -> Pack:
    """A zip file that a third party checks offline, with nothing of ours installed.

    Every record with its receipt, its proof in the log and the opening of its
    pseudonym; what it points at; the heads of the log, with proofs from the checkpoints
    in `kept_outside` (signed notes). The same records make the same bytes until the log
    grows. UnrelatedCheckpointError, or NoteError, for a note that no proof begins at.
    """
    entries = [found.entry.pk for found in records]
    log = log_evidence(site=site, entries=entries, kept_outside=kept_outside)
    erased = _erased(site, entries)
    receipts = [_receipt(found, log, erased) for found in records]
    files = {
        **dict(_named(receipts)),
        **documents(site=site, records=[r["record"] for r in receipts if r["record"]]),
        **log.files,
        "keys.txt": "".join(f"{line}\n" for line in public_keys(site)).encode(),
        "verify_evidence.py": VERIFIER.read_bytes(),
    }
    files |= readme(site=site, receipts=receipts, files=files)
    about = {"format": FORMAT, "site": site.slug, "as_of": log.as_of}
    return Pack(
        body=bundle(files, about=about),
        records=len(receipts),
        unsealed=sum(receipt["log"] is None for receipt in receipts),
    )


def _erased(site: Site, entries: Sequence[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    """Those of some entries that were erased, and since when: a removal says so.

    A link moved out of view need not be there: a refusal of nobody never had one.
    """
    found: dict[uuid.UUID, datetime] = {}
    for some in batched(entries, _AT_ONCE):
        removals = Removal.objects.filter(site=site, reason=Removal.Reason.ERASURE)
        found |= dict(removals.filter(entry__in=some).values_list("entry_id", "time"))
    return found


def _receipt(
    found: Found, log: LogEvidence, erased: Mapping[uuid.UUID, datetime]
) -> dict[str, Any]:
    """The receipt with its proof to the one head that all of the pack's lead to."""
    receipt = without_log(found.kept, link=found.link)
    receipt["log"] = log.parts.get(found.entry.pk)
    if found.kept.content is not None and found.entry.pk in erased:
        receipt["restricted_at"] = timestamp(erased[found.entry.pk])
    return receipt


def _named(receipts: Sequence[dict[str, Any]]) -> Iterator[tuple[str, bytes]]:
    """Each receipt in a file whose name keeps the order of time."""
    for number, receipt in enumerate(receipts, start=1):
        yield f"records/{number:06}-{receipt['id']}.json", as_json(receipt)
