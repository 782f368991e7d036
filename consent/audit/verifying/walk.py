"""One log's tree, put together from its slices and held against what was signed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from consent.audit.verifying import checkpoints, tiles
from consent.audit.verifying.findings import Finding, Findings
from consent.audit.verifying.slices import SLICE, Sliced
from consent.audit.verifying.tree import Peaks
from consent.core.merkle import EMPTY_ROOT
from consent.core.tiles import EMPTY_EDGE


@dataclass(frozen=True, slots=True, order=True)
class Outside:
    """A checkpoint that is kept outside the database; `name` says where.

    `gone` says that the database has none of that size.
    """

    size: int
    root: bytes
    name: str
    gone: bool = False


class Walk:
    """Takes the slices of a log in their order.

    An entry that is not the one that was sealed shows in every checkpoint after it:
    only the first that is wrong says something. Once a leaf is missing, nothing can be
    said of the tree any more.
    """

    def __init__(self, *, site: int, log: int, outside: Sequence[Outside]) -> None:
        self.findings = Findings()
        self.entries = self.checkpoints = self.verified = self.removed = self.links = 0
        self.older: int | None = None
        self._site = site
        self._log = log
        self._outside = sorted(outside)
        self._peaks = Peaks()
        self._edge = EMPTY_EDGE
        self._good = 0
        self._whole = self._right = True
        self._suspects: list[Finding] = []
        self._time = ""

    def take(self, part: Sliced) -> None:
        """Take the next slice."""
        self.findings.extend(part.findings, count=part.count)
        self.entries += part.last - part.first
        self.checkpoints += part.checkpoints
        self.verified += part.verified
        self.removed += part.removed
        self.links += part.links
        self._keep_time(part)
        if not self._whole:
            return
        self._suspects += part.suspects
        self._hold(part)
        if part.broken is not None:
            self._whole = False
            return
        if part.last - part.first == SLICE:
            self._peaks.push(part.roots[part.last])
        self._grow(part)

    def close(self) -> None:
        """Say what no checkpoint decided."""
        self.findings.add(*(_other_leaf(suspect) for suspect in self._suspects))
        self._suspects = []

    def _hold(self, part: Sliced) -> None:
        """Hold the roots on the way against those that were signed."""
        roots = {size: self._peaks.root_with(root) for size, root in part.roots.items()}
        roots[0] = EMPTY_ROOT
        for size, claimed in part.claims:
            if size in roots:
                self._decide(size, right=roots[size] == claimed)
        while self._outside and self._outside[0].size <= part.last:
            other = self._outside.pop(0)
            self.findings.add(*self._compare(other, roots.get(other.size)))

    def _decide(self, size: int, *, right: bool) -> None:
        """Say of the entries since the last good checkpoint what this one tells."""
        covered = [s for s in self._suspects if (s.index or 0) < size]
        self._suspects = self._suspects[len(covered) :]
        if right and self._right:
            # The entries are what was sealed, so it is the tile that is not.
            self.findings.add(*covered)
            self._good = size
        elif not right and self._right:
            self._right = False
            self.findings.add(*self._not_sealed(size, covered))
        else:
            self.findings.add(*(_other_leaf(suspect) for suspect in covered))

    def _not_sealed(self, size: int, suspects: list[Finding]) -> Iterator[Finding]:
        """Where the first wrong checkpoint shows the log to be another one."""
        if suspects:
            yield from map(_other_leaf, suspects)
            return
        which = f"the entries {self._good} to {size - 1} do"
        if size - 1 <= self._good:
            which = "it does"
        says = f"{which} not lead to the root in the checkpoint of {size} entries"
        yield Finding(says, self._log, min(self._good, size - 1))

    def _compare(self, other: Outside, root: bytes | None) -> Iterator[Finding]:
        """Hold the tree against what somebody holds of it."""
        if root is not None and root != other.root:
            says = (
                f"the log was rewritten: its first {other.size} entries are not those "
                f"of {other.name}"
            )
            yield Finding(says, self._log)
        elif other.gone:
            says = f"the checkpoint of {other.size} entries, {other.name}, is gone"
            yield Finding(says, self._log)

    def _keep_time(self, part: Sliced) -> None:
        if part.ends is None:
            return
        first, last = part.ends
        if checkpoints.out_of_order(self._time or first.time, first.time):
            self.older = self.older or first.size
        self.older = self.older or part.older
        self._time = last.time

    def _grow(self, part: Sliced) -> None:
        """Hold the kept tiles above level 0 against the roots of those below."""
        self._edge, full = self._edge.extended(part.tile_roots)
        for tile in full:
            above = replace(tile, level=tile.level + 1)
            found = tiles.differences([above], site=self._site, log=self._log)
            for other in found:
                says = f"{other.name} {other.says}"
                self.findings.add(Finding(says, self._log))


def _other_leaf(suspect: Finding) -> Finding:
    says = "its leaf hash is not the one that was sealed in this place"
    return replace(suspect, says=says)
