"""The whole ledger as files: JSON Lines for programs, CSV for people.

Entries stream in the order of the log, part by part, with the same little memory for
any number of them. What is exported is fixed when an export begins, so that one beside
a log that grows is right; a part is there whole or not at all, and an export that was
stopped goes on after its last whole part. The manifest comes last: without one, an
export is not complete.
"""

import hashlib
import json
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import IO, Any, Final

from consent import ledger
from consent.audit.bundle import as_json
from consent.audit.export_rows import Row, Wanted, as_cells, as_line, header, rows
from consent.audit.receipts import public_keys
from consent.core.record import timestamp
from consent.models import Site

FORMAT: Final = "consent-ledger-export/1"
PART: Final = 100_000
_BUFFER: Final = 1 << 18
MANIFEST: Final = "manifest.json"
_PROGRESS: Final = "progress.jsonl"
_NOTES: Final = """\
canonical is the exact text of an entry: SHA-256 of a zero byte and its UTF-8 bytes is
leaf_hash; signature is Ed25519 over "consent-receipt/v1", a line feed and the bytes.
gone says why canonical is null: erased, retention, or missing (run verify_ledger).
In CSV files a cell that begins with = + - @ or a tab, CR or LF has an apostrophe before
it, so that no spreadsheet runs it.
"""

type Plan = dict[str, Any]


class ExportError(Exception):
    """The export cannot begin or go on; the text says why."""


@dataclass(frozen=True, slots=True)
class Options:
    """What to export: `formats` of "jsonl" and "csv", times as [since, until).

    `with_links` adds what ties entries to people: such an export is personal data.
    """

    formats: tuple[str, ...] = ("jsonl",)
    since: datetime | None = None
    until: datetime | None = None
    with_links: bool = False
    part: int = PART


def export(
    *,
    site: Site,
    out: Path,
    options: Options,
    at: datetime,
    resume: bool = False,
    after_part: Callable[[Plan], None] = lambda _part: None,
) -> Plan:
    """Write a site's ledger to the folder `out`, and return the manifest.

    ExportError where the folder holds something else; OSError where it cannot be
    written. `after_part` is told of each part when it is whole.
    """
    asked = _asked(site, options)
    done = _progress(out) if resume else []
    if not done:
        _require_empty(out)
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        done = [_begin(site, asked, at)]
        _append(out, done[0])
    plan = done[0]
    if plan["asked"] != asked:
        raise ExportError("This export was begun with other options; use the same.")
    whole = {
        (part["log"], part["first"]): part
        for part in done[1:]
        if all(_is_whole(out / name, told) for name, told in part["files"].items())
    }
    for log, first, end in _parts(plan):
        if (log, first) not in whole:
            wanted = Wanted(
                site=site,
                log=log,
                first=first,
                end=end,
                since=options.since,
                until=options.until,
                with_links=options.with_links,
            )
            part = _write_part(wanted, out, options.formats)
            _append(out, part)
            whole[log, first] = part
            after_part(part)
    manifest = _manifest(plan, list(whole.values()))
    _replace(out / MANIFEST, as_json(manifest))
    (out / _PROGRESS).unlink()
    return manifest


def _is_whole(path: Path, told: Mapping[str, Any]) -> bool:
    """Whether a part's file is still what it was when it was written."""
    if not path.exists() or path.stat().st_size != told["bytes"]:
        return False
    with path.open("rb") as file:
        digest: str = hashlib.file_digest(file, "sha256").hexdigest()
    return bool(digest == told["sha256"])


def _private(path: Path) -> IO[bytes]:
    """A new file that nobody else may read: it may hold what is personal."""
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    return os.fdopen(os.open(path, flags, stat.S_IRUSR | stat.S_IWUSR), "wb", _BUFFER)


def _asked(site: Site, options: Options) -> Plan:
    return {
        "site": site.slug,
        "formats": list(options.formats),
        "since": timestamp(options.since) if options.since else None,
        "until": timestamp(options.until) if options.until else None,
        "with_links": options.with_links,
        "part": options.part,
    }


def _begin(site: Site, asked: Plan, at: datetime) -> Plan:
    """What is exported: each log up to the head that it has now."""
    heads = [
        (state.log, state.checkpoint)
        for state in ledger.log_states(site)
        if state.checkpoint is not None
    ]
    return {
        "asked": asked,
        "created": timestamp(at),
        "keys": public_keys(site),
        "logs": [
            {
                "log": log.number,
                "origin": log.origin,
                "tree_size": head.tree_size,
                "root": bytes(head.root).hex(),
                "checkpoint": ledger.with_cosignatures(head),
            }
            for log, head in heads
        ],
    }


def _parts(plan: Plan) -> Iterator[tuple[int, int, int]]:
    """Log, first index, and the index after the last, of every part."""
    size = plan["asked"]["part"]
    for log in plan["logs"]:
        for first in range(0, log["tree_size"], size):
            yield log["log"], first, min(first + size, log["tree_size"])


def _write_part(wanted: Wanted, out: Path, formats: Sequence[str]) -> Plan:
    """Write one part, in every format; where nothing falls into it, no file."""
    files = [_File(wanted, out, form) for form in formats]
    told: Counter[str] = Counter()
    for row in rows(wanted):
        told["entries"] += 1
        told[row["gone"] or "kept"] += 1
        for file in files:
            file.write(row)
    written = {file.name: file.close() for file in files} if told["entries"] else {}
    for file in files:
        file.discard()
    return {
        "log": wanted.log,
        "first": wanted.first,
        "end": wanted.end,
        "files": written,
        "told": told,
    }


class _File:
    """One file of a part, which gets its name only when it is whole."""

    def __init__(self, wanted: Wanted, out: Path, form: str) -> None:
        self.name = f"log{wanted.log}-{wanted.first:012}.{form}"
        self.path = out / self.name
        self.unfinished = out / f".{self.name}.part"
        self.form = form
        self.hash = hashlib.sha256()
        self.bytes = 0
        self.file = _private(self.unfinished)
        if form == "csv":
            self._add(header(with_links=wanted.with_links))

    def write(self, row: Row) -> None:
        self._add(as_cells(row) if self.form == "csv" else as_line(row))

    def _add(self, data: bytes) -> None:
        self.file.write(data)
        self.hash.update(data)
        self.bytes += len(data)

    def close(self) -> Plan:
        """Give the file its name, and say what it holds."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        self.unfinished.replace(self.path)
        return {"bytes": self.bytes, "sha256": self.hash.hexdigest()}

    def discard(self) -> None:
        """Forget a file that never became whole."""
        self.file.close()
        self.unfinished.unlink(missing_ok=True)


def _manifest(plan: Plan, parts: Sequence[Mapping[str, Any]]) -> Plan:
    told: Counter[str] = Counter()
    for part in parts:
        told.update(part["told"])
    files = chain.from_iterable(part["files"].items() for part in parts)
    return {
        **plan["asked"],
        "format": FORMAT,
        "created": plan["created"],
        "logs": plan["logs"],
        "keys": plan["keys"],
        "entries": told["entries"],
        "gone": {why: told[why] for why in ("erased", "retention", "missing")},
        "files": dict(files),
        "notes": _NOTES.splitlines(),
    }


def _require_empty(out: Path) -> None:
    if (out / MANIFEST).exists():
        raise ExportError(f"{out} holds a complete export already.")
    if (out / _PROGRESS).exists():
        raise ExportError(f"{out} holds an export that was stopped: --resume.")
    if out.exists() and any(out.iterdir()):
        raise ExportError(f"{out} is not empty.")


def _progress(out: Path) -> list[Plan]:
    """What an export that was stopped had done: its plan, then its whole parts."""
    try:
        lines = (out / _PROGRESS).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines]


def _append(out: Path, done: Plan) -> None:
    """Note what is done, so that it survives whatever comes next."""
    lines = [json.dumps(value) for value in (*_progress(out), done)]
    _replace(out / _PROGRESS, "".join(f"{line}\n" for line in lines).encode())


def _replace(path: Path, data: bytes) -> None:
    unfinished = path.with_name(f".{path.name}.part")
    with _private(unfinished) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
