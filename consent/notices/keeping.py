"""Keeping notices with what dresses them, once per hash."""

from django.db import transaction

from consent.ledger.known import Known
from consent.models import Asset, Notice
from consent.notices import looks, shown
from consent.notices.words import Document

# Hashes of notices and assets that are known to be kept.
_kept: Known[str, bool] = Known()


def keep(digest: str, document: Document) -> None:
    """Keep a notice of this process, with its assets, in the caller's transaction."""
    if _kept.get(digest):
        return
    named = [name for name in _assets(document) if not _kept.get(name)]
    # In the order of their hashes, so that no two transactions wait for each other.
    bodies = [(name, looks.body_of(name)) for name in sorted(named)]
    Asset.objects.bulk_create(
        [
            Asset(hash=name, media_type=held.media_type, body=held.body)
            for name, held in bodies
        ],
        ignore_conflicts=True,
    )
    Notice.objects.bulk_create(
        [Notice(hash=digest, document=document)], ignore_conflicts=True
    )
    transaction.on_commit(lambda: _learn(digest, *named))


def _learn(*hashes: str) -> None:
    for name in hashes:
        _kept.learn(name, True)


def _assets(document: Document) -> set[str]:
    """The hashes of all that dresses a notice; words of format 1 have no looks."""
    lists = (document.get("styles", ()), document.get("scripts", ()))
    files: dict[str, str] = document.get("files", {})
    return {*files.values(), *(name for names in lists for name in names)}


def assets_of(document: Document) -> list[Asset]:
    """The kept style sheets, scripts, pictures and fonts of a notice, by hash."""
    return list(Asset.objects.filter(hash__in=_assets(document)).order_by("hash"))


def forget() -> None:
    """Forget which notices are known to be kept, and how they were made."""
    _kept.forget()
    shown.forget()
    looks.forget()
