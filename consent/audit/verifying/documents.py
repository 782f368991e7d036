"""Documents that records point at: that each is kept, and is what its hash names."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from itertools import batched
from typing import Any, Final

from django.db.models import Model

from consent.audit.verifying.findings import Finding
from consent.audit.verifying.members import Document
from consent.core.canonical import canonical_hash
from consent.models import Asset, Notice, PolicyVersion, RuleBookVersion, Site

_AT_ONCE: Final = 500

# The log and the index of the first entry that points at something, by its hash.
type Places = dict[str, tuple[int | None, int | None]]


class Documents:
    """What the entries of a site point at, each with the first entry that does.

    As many as there are documents, however many entries there are.
    """

    def __init__(self) -> None:
        self._policies: Places = {}
        self._versions: set[tuple[str, int]] = set()
        self._notices: Places = {}
        self._books: Places = {}

    def add(self, named: Mapping[Document, int | None], *, log: int | None) -> None:
        """Take what some entries point at; they come in the order of the log."""
        for (policy, version, notice, book), index in named.items():
            for name, places in (
                (policy, self._policies),
                (notice, self._notices),
                (book, self._books),
            ):
                if name is not None:
                    places.setdefault(name, (log, index))
            if policy is not None and version is not None:
                self._versions.add((policy, version))

    def check(self, site: Site) -> Iterator[Finding]:
        """What is wrong with them, and with any policy that the site published."""
        yield from self._check_policies(site)
        dressing: Places = {}
        for name, place in self._notices.items():
            notice = Notice.objects.filter(hash=name).first()
            for asset in _dressing(notice.document) if notice else ():
                dressing.setdefault(asset, place)
        yield from _check("notice", Notice, self._notices)
        yield from _check("rule book", RuleBookVersion, self._books)
        yield from _check("look of a notice,", Asset, dressing)

    def _check_policies(self, site: Site) -> Iterator[Finding]:
        numbers: dict[str, set[int]] = {}
        for row in PolicyVersion.objects.filter(site=site).iterator():
            numbers.setdefault(row.hash, set()).add(row.version)
            if not _is_what_it_is_called(row):
                place = self._policies.get(row.hash, (None, None))
                says = f"policy version {row.version} is not what its hash names"
                yield Finding(says, *place)
        for name, place in self._policies.items():
            if name not in numbers:
                yield Finding(f"the policy {name} is not kept", *place)
        for name, version in self._versions:
            if version not in numbers.get(name, {version}):
                place = self._policies[name]
                yield Finding(
                    f"the policy {name} has not the version {version}", *place
                )


def _check(what: str, model: type[Model], named: Places) -> Iterator[Finding]:
    """What is missing of some documents, and what is there and is another one."""
    rows = model._default_manager  # noqa: SLF001 - Django's documented way
    for some in batched(named, _AT_ONCE):
        kept = rows.in_bulk(some)
        for name in some:
            if name not in kept:
                yield Finding(f"the {what} {name} is not kept", *named[name])
            elif not _is_what_it_is_called(kept[name]):
                says = f"the {what} {name} is not what its hash names"
                yield Finding(says, *named[name])


def _is_what_it_is_called(row: Any) -> bool:  # noqa: ANN401 - any model with a hash
    if isinstance(row, Asset):
        return row.hash == f"sha256:{sha256(bytes(row.body)).hexdigest()}"
    try:
        return bool(row.hash == canonical_hash(row.document))
    except (TypeError, ValueError):
        return False


def _dressing(document: Mapping[str, Any]) -> Iterator[str]:
    """The hashes of a notice's style sheets, scripts, pictures and fonts."""
    yield from document.get("styles", ())
    yield from document.get("scripts", ())
    yield from document.get("files", {}).values()
