"""What an export tells of each entry: as a line of JSON, and as a row of a table."""

import base64
import csv
import io
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import FilteredRelation, Q, QuerySet

from consent.audit.receipts import removed
from consent.core.record import timestamp
from consent.models import Leaf, Link, Site

BATCH: Final = 2_000
# What a spreadsheet takes for the beginning of a formula, or reads past.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")

_encoded: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

type Row = dict[str, Any]

COLUMNS: Final = (
    *("log", "index", "id", "time", "kind", "event"),
    *("functional", "analytics", "marketing", "services"),
    *("country", "subdivision", "rule", "model", "audience", "surface", "language"),
    *("policy_version", "policy_hash", "notice_hash", "rulebook"),
    *("gpc", "dnt", "applied", "valid_until", "subject", "detail"),
    *("gone", "leaf_hash", "key_id"),
)
LINK_COLUMNS: Final = ("visitor_id", "user")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Entries of a log at indexes [first, end), at times [since, until) where said."""

    site: Site
    log: int
    first: int
    end: int
    since: datetime | None = None
    until: datetime | None = None
    with_links: bool = False


def rows(wanted: Wanted) -> Iterator[Row]:
    """The entries in the order of the log, read in batches of the same size.

    `gone` says why `canonical` is null; "missing" is for `verify_ledger` to explain.
    """
    for first in range(wanted.first, wanted.end, BATCH):
        yield from _batch(wanted, first, min(first + BATCH, wanted.end))


def _batch(wanted: Wanted, first: int, end: int) -> Iterator[Row]:
    found = list(_leaves(wanted).filter(index__gte=first, index__lt=end))
    keys = [leaf[1] for leaf in found]
    # Contents were read first: one that is missing was removed before the removals
    # are read.
    gone, links = removed(wanted.site, keys), _links(wanted, keys)
    for leaf in found:
        row = _row(wanted.log, leaf, gone.get(leaf[1]))
        yield {**row, "link": links.get(leaf[1])} if wanted.with_links else row


def _leaves(wanted: Wanted) -> QuerySet[Leaf, tuple[Any, ...]]:
    """Index, entry and content of each leaf that is wanted, in order, as tuples."""
    site = wanted.site
    # The site of every table, because every index begins with it.
    content = FilteredRelation("entry__content", condition=Q(entry__content__site=site))
    leaves = Leaf.objects.filter(site=site, log=wanted.log, entry__site=site)
    if wanted.since is not None:
        leaves = leaves.filter(entry__time__gte=wanted.since)
    if wanted.until is not None:
        leaves = leaves.filter(entry__time__lt=wanted.until)
    entry = ("time", "leaf_hash", "key_id", "signature")
    return (
        leaves.annotate(kept=content)
        .order_by("index")
        .values_list(
            "index", "entry_id", *(f"entry__{n}" for n in entry), "kept__canonical"
        )
    )


def _row(log: int, leaf: tuple[Any, ...], gone: str | None) -> Row:
    index, key, time, digest, key_id, signature, canonical = leaf
    text = None if gone else canonical
    return {
        "log": log,
        "index": index,
        "id": key.hex,
        "time": timestamp(time),
        "leaf_hash": bytes(digest).hex(),
        "key_id": key_id,
        "signature": base64.b64encode(bytes(signature)).decode(),
        "canonical": text,
        "gone": None if text is not None else gone or "missing",
    }


def _links(wanted: Wanted, keys: Sequence[uuid.UUID]) -> dict[uuid.UUID, Row]:
    if not wanted.with_links:
        return {}
    links = Link.objects.filter(site=wanted.site).in_bulk(keys)
    return {
        key: {
            "salt": base64.b64encode(bytes(link.salt)).decode(),
            "visitor": link.visitor or None,
            "user": link.user or None,
            "sources": link.sources,
        }
        for key, link in links.items()
    }


def as_line(row: Row) -> bytes:
    """An entry as one line of JSON."""
    return f"{_encoded(row)}\n".encode()


def header(*, with_links: bool) -> bytes:
    """The names of the columns."""
    return _csv([*COLUMNS, *(LINK_COLUMNS if with_links else ())])


def as_cells(row: Row) -> bytes:
    """An entry as one row of CSV (RFC 4180), with a plain value in every cell."""
    told = {**row, **_answers(json.loads(row["canonical"] or "{}"))}
    cells = [told.get(name) for name in COLUMNS]
    if "link" in row:
        link = row["link"] or {}
        cells += [link.get("visitor"), link.get("user")]
    return _csv(cells)


def _answers(record: Mapping[str, Any]) -> Row:
    """The values of a record, or of an act, by the names of their columns."""
    if record.get("kind") != "consent":
        return {
            "kind": record.get("kind"),
            "event": record.get("act"),
            "subject": record.get("subject"),
            "detail": _compact(record.get("detail")),
        }
    same = ("kind", "event", "model", "audience", "surface", "valid_until")
    return {
        **{name: record[name] for name in same},
        **record["purposes"],
        "services": _compact(record["services"]),
        "country": record["location"]["country"],
        "subdivision": record["location"]["subdivision"],
        "rule": record["jurisdiction"]["rule"],
        "rulebook": record["jurisdiction"]["rulebook"],
        "policy_version": record["policy"]["version"],
        "policy_hash": record["policy"]["hash"],
        "notice_hash": record["notice"]["hash"],
        "language": record["notice"]["language"],
        "gpc": record["signals"]["gpc"],
        "dnt": record["signals"]["dnt"],
        "applied": " ".join(record["signals"]["applied"]),
    }


def _compact(value: object) -> str | None:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else None


def _csv(cells: Iterable[object]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerow([_defused(cell) for cell in cells])
    return out.getvalue().encode()


def _defused(cell: object) -> object:
    """A cell that no spreadsheet runs: an apostrophe before what begins a formula."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return f"'{cell}"
    return cell
