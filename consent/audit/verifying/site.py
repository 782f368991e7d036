"""One site's ledger, from its logs to the documents that its records point at."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import monotonic

from consent.audit.verifying import links, removals, strays
from consent.audit.verifying.acts import reopenings
from consent.audit.verifying.contents import Reading
from consent.audit.verifying.documents import Documents
from consent.audit.verifying.extent import Extent, of_no_log
from consent.audit.verifying.findings import Finding, Findings
from consent.audit.verifying.logs import LogCheck, LogReport
from consent.audit.verifying.outside import Held
from consent.audit.verifying.receipts import HeldReceipt, check_receipt
from consent.audit.verifying.workers import Work
from consent.ledger import kept
from consent.models import Removal, Site, Waiting


@dataclass(frozen=True, slots=True)
class SiteReport:
    """What a site's ledger was found to be.

    `findings` are the first that are wrong, `count` is how many are. `remarks` are
    sentences about what is lost, and was said so in the log.
    """

    site: str
    logs: tuple[LogReport, ...]
    waiting: int
    erased: int
    seconds: float
    findings: tuple[Finding, ...]
    count: int
    remarks: tuple[str, ...]


@dataclass(slots=True)
class SiteCheck:
    """A site that is checked, with the checkpoints and receipts held of it."""

    site: Site
    whose: Reading
    logs: Sequence[Extent]
    checkpoints: Sequence[Held]
    receipts: Sequence[HeldReceipt]
    findings: Findings = field(default_factory=Findings)
    documents: Documents = field(default_factory=Documents)
    remarks: list[str] = field(default_factory=list)

    def run(self, work: Work, tell: Callable[[int], None]) -> SiteReport:
        """Check everything, telling how many entries were done as it goes on."""
        began = monotonic()
        logs = tuple(self._check_log(extent, work, tell) for extent in self.logs)
        self.findings.add(*of_no_log(self.site, self.logs), *self._lost_logs())
        waiting = self._check_waiting(work)
        self._check_strays(work)
        self._check_links(work, met=sum(log.links for log in logs))
        for found in work(removals.check_removals, removals.parts(self.whose)):
            self.findings.add(*found)
        self.findings.add(*self.documents.check(self.site))
        for receipt in self.receipts:
            keys = self.whose.keys
            self.findings.add(*check_receipt(receipt, site=self.site, keys=keys))
        erasures = Removal.objects.filter(reason=Removal.Reason.ERASURE)
        return SiteReport(
            site=self.site.slug,
            logs=logs,
            waiting=waiting,
            erased=erasures.filter(site=self.site).count(),
            seconds=monotonic() - began,
            findings=self.findings.first,
            count=self.findings.count,
            remarks=tuple(self.remarks),
        )

    def _check_log(
        self, extent: Extent, work: Work, tell: Callable[[int], None]
    ) -> LogReport:
        check = LogCheck(
            site=self.site,
            whose=self.whose,
            extent=extent,
            given=self.checkpoints,
            documents=self.documents,
        )
        report = check.run(work, tell)
        self.findings.take(check.findings)
        self.remarks += check.remarks
        return report

    def _lost_logs(self) -> Iterator[Finding]:
        """Logs of which checkpoints are kept outside, and that are not here.

        A log that was begun later with a number above theirs says that they are lost.
        """
        here = {extent.log.number for extent in self.logs}
        told = [said.get("log", 0) for said in reopenings(self.whose)]
        for number in kept.numbers(self.site):
            if number in here:
                continue
            if number < max(told, default=0):
                self.remarks.append(f"Log {number} is lost, as the log after it says.")
            else:
                says = "checkpoints of it are kept in CONSENT_CHECKPOINT_DIR, and it is"
                yield Finding(f"{says} not here: an older backup was put back", number)

    def _check_waiting(self, work: Work) -> int:
        """Check what is in no log; how many entries wait."""
        about = Waiting.objects.filter(site=self.site).count()
        waiting = 0
        for found in work(
            strays.check_waiting, strays.parts(self.whose, entries=about)
        ):
            self.findings.add(*found.findings)
            self.documents.add(found.documents, log=None)
            waiting += found.count
        return waiting

    def _check_links(self, work: Work, *, met: int) -> None:
        """Check each link by itself, if there are more than entries were met with."""
        if not links.are_too_many(self.whose, self.logs, met=met):
            return
        parts = strays.parts(self.whose, entries=met)
        for found in work(links.check_links, parts):
            self.findings.add(*found)

    def _check_strays(self, work: Work) -> None:
        """Name what is nowhere, if the numbers say that there is anything."""
        says = strays.what_does_not_add_up(self.whose)
        if says is None:
            return
        about = sum(extent.size for extent in self.logs)
        for found in work(strays.check_strays, strays.parts(self.whose, entries=about)):
            self.findings.add(*found)
        if not self.findings.count:
            self.findings.add(Finding(says))
