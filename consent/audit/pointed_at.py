"""What records point at by hash: policies, notices with their looks, rule books.

Each file's SHA-256 is its name, so that it takes no software to see that a document is
the one that a record names.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from consent.audit.bundle import as_json
from consent.audit.rule_rows import rows_of
from consent.core.canonical import canonical
from consent.models import Notice, PolicyVersion, RuleBookVersion, Site
from consent.notices import assets_of, standalone

type Record = Mapping[str, Any]


def documents(*, site: Site, records: Sequence[Record]) -> dict[str, bytes]:
    """The files of everything that the records point at, as far as it is kept.

    What is missing is left out; the verifier names it.
    """
    return {
        **dict(_policies(site, {r["policy"]["hash"] for r in records})),
        **dict(_notices({r["notice"]["hash"] for r in records} - {None})),
        **dict(_rule_books(records)),
    }


def _policies(site: Site, named: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    for version in PolicyVersion.objects.filter(site=site, hash__in=sorted(named)):
        yield f"policies/{_digits(version.hash)}.json", canonical(version.document)


def _notices(named: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    for notice in Notice.objects.filter(hash__in=sorted(named)):
        name = f"notices/{_digits(notice.hash)}"
        assets = assets_of(notice.document)
        yield f"{name}.json", canonical(notice.document)
        yield f"{name}.html", standalone(notice.document, assets).encode()
        for asset in assets:
            yield f"notices/assets/{_digits(asset.hash)}", bytes(asset.body)


def _rule_books(records: Sequence[Record]) -> Iterator[tuple[str, bytes]]:
    """The whole tables, and of each the rows that the records name."""
    named: dict[str, set[str]] = {}
    for record in records:
        where = record["jurisdiction"]
        named.setdefault(where["rulebook"], set()).add(where["rule"])
    rows = {}
    for book in RuleBookVersion.objects.filter(hash__in=sorted(named)):
        yield f"rulebooks/{_digits(book.hash)}.json", _table(book.document)
        rows[book.hash] = {
            place: row
            for rule in sorted(named[book.hash])
            for place, row in rows_of(rule, book.document).items()
        }
    if rows:
        yield "rules.json", as_json(rows)


def _table(document: Mapping[str, Any]) -> bytes:
    """A rule book's bytes, as its version is made from them (`RuleBook.canonical`)."""
    return json.dumps(
        document, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode()


def _digits(named: str) -> str:
    return named.removeprefix("sha256:")
