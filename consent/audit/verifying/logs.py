"""One log: its slices, and the checkpoints that somebody holds of it."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from consent.audit.verifying.acts import reopenings
from consent.audit.verifying.contents import Reading
from consent.audit.verifying.documents import Documents
from consent.audit.verifying.extent import Extent
from consent.audit.verifying.findings import Findings
from consent.audit.verifying.outside import (
    Against,
    Ahead,
    Held,
    Shown,
    compare,
    rolled_back,
)
from consent.audit.verifying.slices import SLICE, Slice, check_slice
from consent.audit.verifying.walk import Outside, Walk
from consent.audit.verifying.workers import Work
from consent.ledger import kept
from consent.models import Site


@dataclass(frozen=True, slots=True)
class LogReport:
    """What one log was found to hold.

    `verified` is how many of the checkpoints' signatures were verified: not every one
    where there are too many, unless it was asked for.
    """

    number: int
    origin: str
    entries: int
    checkpoints: int
    verified: int
    anchors: int
    removed: int
    links: int


@dataclass(slots=True)
class LogCheck:
    """A log that is checked, with checkpoints that somebody holds of it."""

    site: Site
    whose: Reading
    extent: Extent
    given: Sequence[Held]
    documents: Documents
    findings: Findings = field(default_factory=Findings)
    remarks: list[str] = field(default_factory=list)

    @property
    def number(self) -> int:
        return self.extent.log.number

    def run(self, work: Work, tell: Callable[[int], None]) -> LogReport:
        """Check the log, telling how many entries were done as it goes on."""
        self.findings.add(*self.extent.findings)
        outside = list(self._outside())
        walk = Walk(site=self.site.pk, log=self.number, outside=outside)
        for part in work(check_slice, self._slices(outside)):
            walk.take(part)
            self.documents.add(part.documents, log=self.number)
            tell(part.last - part.first)
        walk.close()
        if walk.older is not None:
            self.remarks.append(
                f"The checkpoint of {walk.older:,} entries of log {self.number} says "
                "that it is older than the one before it: a clock went back, or its "
                "time was changed, which nothing signs."
            )
        self.findings.take(walk.findings)
        return LogReport(
            number=self.number,
            origin=self.extent.log.origin,
            entries=self.extent.size,
            checkpoints=walk.checkpoints,
            verified=walk.verified,
            anchors=self.extent.anchors,
            removed=walk.removed,
            links=walk.links,
        )

    def _slices(self, outside: Sequence[Outside]) -> Iterator[Slice]:
        sizes = sorted({one.size for one in outside})
        for first in range(0, self.extent.size, SLICE):
            last = min(first + SLICE, self.extent.size)
            within = slice(bisect_right(sizes, first), bisect_right(sizes, last))
            yield Slice(
                whose=self.whose,
                log=self.number,
                origin=self.extent.log.origin,
                first=first,
                last=last,
                wanted=tuple(sizes[within]),
            )

    def _outside(self) -> Iterator[Outside]:
        """The checkpoints held outside whose roots are to be compared with the log's.

        What shows at once is among the findings then.
        """
        against = Against(
            site=self.site.pk,
            log=self.number,
            origin=self.extent.log.origin,
            size=self.extent.size,
            keys=self.whose.keys,
        )
        ours = [
            (one.name, one.note)
            for one in self.given
            if one.said.origin == against.origin
        ]
        for shown in compare(ours, against):
            yield from self._take(shown, against)
        newest: Ahead | None = None
        for shown in compare(self._kept(), against):
            if not isinstance(shown, Ahead):
                yield from self._take(shown, against)
            elif newest is None or shown.held.said.size > newest.held.said.size:
                newest = shown
        if newest is not None and self._is_told(newest):
            self.remarks.append(self._loss(newest))
        elif newest is not None:
            yield from self._take(newest, against)

    def _take(self, shown: Shown, against: Against) -> Iterator[Outside]:
        if isinstance(shown, Outside):
            yield shown
        elif isinstance(shown, Ahead):
            self.findings.add(rolled_back(shown.held, against))
        else:
            self.findings.add(shown)

    def _kept(self) -> Iterator[tuple[str, str]]:
        """The checkpoints in CONSENT_CHECKPOINT_DIR."""
        newest = kept.folder(self.site, self.number) / "newest"
        last = [newest.read_text(encoding="utf-8")] if newest.exists() else []
        for note in chain(kept.notes(self.site, self.number), last):
            yield "a checkpoint in CONSENT_CHECKPOINT_DIR", note

    def _is_told(self, ahead: Ahead) -> bool:
        """Whether a later log says that this one was lost from here on."""
        extent, root = self.extent, self.extent.root
        here = None if root is None else {"size": extent.size, "root": root.hex()}
        return any(
            said.get("closed") == extent.log.origin
            and said.get("here") == here
            and (said.get("kept") or {}).get("size", 0) >= ahead.held.said.size
            for said in reopenings(self.whose)
        )

    def _loss(self, ahead: Ahead) -> str:
        return (
            f"Log {self.number} was closed when a backup was put back: of its "
            f"{ahead.held.said.size} entries {self.extent.size} are here, as the log "
            "after it says."
        )
