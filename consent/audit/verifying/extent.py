"""How far a log reaches: to its newest checkpoint, and nothing of it any further.

A log that is sealed meanwhile grows in one transaction with its checkpoint, and the
checkpoint is read last: so nothing that is read before can honestly lie beyond it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from consent.audit.verifying import reading, tiles
from consent.audit.verifying.findings import Finding
from consent.models import Anchor, Checkpoint, Log, Site


@dataclass(frozen=True, slots=True)
class Extent:
    """A log, the number of entries that its newest checkpoint covers, and its root."""

    log: Log
    size: int
    root: bytes | None
    anchors: int
    findings: tuple[Finding, ...]


def extents(site: Site) -> list[Extent]:
    """Every log of a site, oldest first."""
    return [
        _extent(site, log) for log in Log.objects.filter(site=site).order_by("number")
    ]


def _extent(site: Site, log: Log) -> Extent:
    number = log.number
    kept = tiles.too_many(site=site.pk, log=number)
    low, high = _places(site, number)
    anchors = Anchor.objects.filter(site=site, log=number)
    anchored = anchors.order_by("-tree_size").values_list("tree_size", flat=True)
    vouched, count = anchored.first() or 0, anchors.count()
    heads = Checkpoint.objects.filter(site=site, log=number)
    head = heads.order_by("-tree_size").first()
    size = head.tree_size if head else 0
    findings = []
    if low is not None and low < 0:
        findings.append(Finding("no log begins before 0", number, low))
    if high is not None and high >= size:
        says = "it has this place in the log, and no checkpoint covers it"
        findings.append(Finding(says, number, size))
    if vouched > size:
        says = f"an anchor is there for {vouched} entries, and {size} are here"
        findings.append(Finding(says, number, size))
    for level, reach in kept:
        if reach > size:
            says = f"tiles of level {level} are kept for {reach} entries, not {size}"
            findings.append(Finding(says, number, size))
    root = bytes(head.root) if head else None
    return Extent(log, size, root, count, tuple(findings))


def _places(site: Site, log: int) -> tuple[int | None, int | None]:
    """The lowest and the highest index, each found in the index of the table."""
    one = 'SELECT {}("index") FROM consent_leaf WHERE site_id = %s AND log = %s'
    statement = f"SELECT ({one.format('MIN')}), ({one.format('MAX')})"
    [(low, high)] = reading.asked(statement, [site.pk, log] * 2)
    return low, high


def of_no_log(site: Site, logs: Sequence[Extent]) -> Iterator[Finding]:
    """Rows of logs that the site does not have."""
    numbers = [-(2**15), *(extent.log.number for extent in logs), 2**15]
    for table in ("leaf", "tile", "checkpoint", "anchor"):
        for before, after in pairwise(numbers):
            if after - before > 1 and reading.asked(
                f"SELECT 1 FROM consent_{table} "  # noqa: S608 - names of ours
                "WHERE site_id = %s AND log > %s AND log < %s LIMIT 1",
                (site.pk, before, after),
            ):
                yield Finding(f"rows of {table}s are there of a log that is not")
