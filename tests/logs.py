"""Logs with many entries, and what other people's software says of them."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from consent import ledger
from consent.core.record import Act
from consent.models import Leaf, Site
from tests.conftest import NOON


def write(site: Site, count: int, *, first: int = 0, at: datetime = NOON) -> list[str]:
    """Append entries, a second apart; their numbers in that order."""
    with transaction.atomic():
        return [
            _append(site, number, at + timedelta(seconds=number))
            for number in range(first, first + count)
        ]


def _append(site: Site, number: int, at: datetime) -> str:
    act = Act(
        id=ledger.new_id(),
        site=site.slug,
        time=at,
        act="test",
        subject=None,
        detail={"number": number},
    )
    return ledger.append(site=site, entry=act, owner=None).id


def leaf_hashes(site: Site, log: int = 1) -> list[bytes]:
    """What stands in a log, in its order."""
    leaves = Leaf.objects.filter(site=site, log=log).order_by("index")
    return [bytes(h) for h in leaves.values_list("entry__leaf_hash", flat=True)]


def indexes(site: Site, log: int = 1) -> list[int]:
    leaves = Leaf.objects.filter(site=site, log=log).order_by("index")
    return list(leaves.values_list("index", flat=True))


def another_site(**changes: Any) -> Site:
    """A second site with hosts of its own."""
    common = {"slug": "shop", "name": "Shop", "hosts": ["shop.example.org"]}
    return Site.objects.create(**{**common, "languages": ["en"], **changes})
