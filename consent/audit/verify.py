"""Verifying the whole ledger: each entry, the trees, their heads, and what is outside.

Logs are read in slices, spread over processes where there are several, and memory does
not grow with them. Each log is checked up to the checkpoint that is its newest when the
run begins: what is sealed does not change, so that a run beside a log that grows is
right.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from consent.audit.verifying import reading
from consent.audit.verifying.contents import Reading
from consent.audit.verifying.extent import extents
from consent.audit.verifying.findings import Finding
from consent.audit.verifying.outside import Held
from consent.audit.verifying.receipts import HeldReceipt
from consent.audit.verifying.site import SiteCheck, SiteReport
from consent.audit.verifying.slices import SLICE
from consent.audit.verifying.workers import workers
from consent.core.signed_note import PUBLIC_KEY_BYTES
from consent.keys import key_id
from consent.models import Log, PublicKey, Site

# A process of its own costs as much as about so many slices without signatures.
WORTH: Final = 4

type Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to verify, and what to hold it against.

    `keys` are public keys of 32 bytes; where there are any, no other is believed, not
    even one that the database knows. `checkpoints` and `receipts` are held by others.
    `signatures` verifies the signature of every receipt as well.
    """

    sites: Sequence[Site]
    jobs: int = 1
    signatures: bool = False
    keys: Sequence[bytes] = ()
    checkpoints: Sequence[Held] = ()
    receipts: Sequence[HeldReceipt] = ()


def verify(wanted: Wanted, *, tell: Tell | None = None) -> Iterator[SiteReport]:
    """Verify sites one after the other; `tell` is given the entries done, and all."""
    checks = [_check(site, wanted) for site in wanted.sites]
    sizes = [extent.size for check in checks for extent in check.logs]
    done = 0

    def count(entries: int) -> None:
        nonlocal done
        done += entries
        if tell is not None:
            tell(done, sum(sizes))

    reading.prepare()
    slices = -(-max(sizes, default=0) // SLICE)
    worth = 1 if wanted.signatures else WORTH
    with workers(min(wanted.jobs, slices // worth)) as work:
        for check in checks:
            yield check.run(work, count)


def _check(site: Site, wanted: Wanted) -> SiteCheck:
    receipts = [one for one in wanted.receipts if one.site == site.slug]
    given = [*wanted.checkpoints, *(one.checkpoint for one in receipts)]
    return SiteCheck(
        site=site,
        whose=Reading(
            site=site.pk,
            slug=site.slug,
            keys=_believed(wanted),
            signatures=wanted.signatures,
        ),
        logs=extents(site),
        checkpoints=[one for one in given if one is not None],
        receipts=receipts,
    )


def _believed(wanted: Wanted) -> Mapping[str, bytes]:
    """The keys that may have signed, by what receipts call them."""
    known = [bytes(key.public) for key in PublicKey.objects.all()]
    sound = [public for public in known if len(public) == PUBLIC_KEY_BYTES]
    return {key_id(public): public for public in wanted.keys or sound}


def outside_findings(wanted: Wanted, *, whole: bool) -> Iterator[Finding]:
    """What is wrong with what belongs to none of the sites that are verified.

    `whole` says that those are all the sites there are.
    """
    yield from _other_keys()
    sites = {site.slug for site in wanted.sites}
    logs = Log.objects.filter(site__in=wanted.sites)
    origins = set(logs.values_list("origin", flat=True))
    for one in wanted.checkpoints:
        if one.said.origin not in origins:
            yield Finding(f"{one.name} is of {one.said.origin}, and no log here is")
    for receipt in wanted.receipts:
        if receipt.site not in sites:
            yield Finding(f"{receipt.name} is of {receipt.site}, and no site here is")
    if whole:
        yield from _lost_sites(sites)


def _other_keys() -> Iterator[Finding]:
    for key in PublicKey.objects.all():
        if key.pk != key_id(bytes(key.public)):
            yield Finding(f"the public key {key.pk} is not what its name says")


def _lost_sites(sites: Collection[str]) -> Iterator[Finding]:
    """Sites of which checkpoints are kept outside, and that are not here."""
    kept = Path(settings.CONSENT_CHECKPOINT_DIR)
    for folder in sorted(kept.iterdir()) if kept.is_dir() else ():
        if folder.is_dir() and folder.name not in sites:
            says = f"checkpoints of the site {folder.name} are kept, and it is not here"
            yield Finding(says)
