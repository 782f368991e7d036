"""What was verified, in plain words and as a document for machines."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from django.utils import translation

from consent.audit.claims import CLAIMS
from consent.audit.verifying.findings import Finding
from consent.audit.verifying.site import SiteReport

type Document = dict[str, Any]


def lines(report: SiteReport, *, signatures: bool) -> Iterator[str]:
    """One site, line by line; the last lines say what is wrong, if anything is."""
    for log in report.logs:
        yield f"{report.site}, log {log.number}: {log.origin}"
        yield f"  {log.entries:,} entries under {log.checkpoints:,} checkpoints"
        yield f"  {log.verified:,} signatures of checkpoints were verified"
        yield f"  {log.removed:,} contents were dropped by retention"
        yield f"  {log.anchors:,} anchors are kept (what they say is not checked here)"
    if not report.logs:
        yield f"{report.site}: nothing was ever sealed"
    yield f"  {report.erased:,} records were erased, {report.waiting:,} entries wait"
    read = "verified" if signatures else "not verified (--signatures)"
    yield f"  the signatures of receipts were {read}"
    entries = sum(log.entries for log in report.logs)
    rate = entries / max(report.seconds, 1e-9)
    yield f"  {report.seconds:.1f} seconds, {rate:,.0f} entries a second"
    yield from (f"  {remark}" for remark in report.remarks)
    if not report.count:
        yield "  Nothing is wrong."
        return
    more = report.count - len(report.findings)
    yield f"  Wrong in {report.count:,} places, from the first on:"
    yield from (f"    {finding}." for finding in report.findings)
    if more:
        yield f"    … and {more:,} more."


def proved() -> Iterator[str]:
    """What it proves that nothing is wrong, and what it does not."""
    with translation.override("en"):
        yield from map(str, CLAIMS)


def document(reports: Sequence[SiteReport], general: Sequence[Finding]) -> Document:
    """All of it as JSON values."""
    return {
        "verified": not general and not any(report.count for report in reports),
        "sites": [_site(report) for report in reports],
        "findings": [asdict(finding) for finding in general],
        "proved": list(proved()),
    }


def _site(report: SiteReport) -> Document:
    return {**asdict(report), "seconds": round(report.seconds, 3)}


def first(reports: Sequence[SiteReport], general: Sequence[Finding]) -> str | None:
    """The first thing that is wrong, in one sentence; None where nothing is."""
    wrong = [
        f"{report.site}, {report.findings[0]}" for report in reports if report.count
    ]
    return next((f"{says}." for says in [*wrong, *map(str, general)]), None)
