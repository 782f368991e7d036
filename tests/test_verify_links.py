"""Links: `verify_ledger` names those that are gone, false, or nobody's."""

from typing import Any

import pytest
from django.test import Client

from consent import ledger
from consent.audit.reopening import begin_log
from consent.audit.verify import Wanted, verify
from consent.models import Entry, Link, Site
from tests.conftest import NOON, NewVisitor
from tests.tampering import (
    all_wrong,
    at,
    first_wrong,
    in_spite_of_triggers,
    named,
    verified,
)
from tests.test_verify_outside import put_back
from tests.visits import ALL, NONE, choose

GRANTED, REFUSED = 3, 4


@pytest.fixture
def choices(visitor: NewVisitor, site: Site) -> Site:
    """A log of three acts, then a grant that is linked, then a refusal of nobody."""
    for wish in (ALL, NONE):
        choose(visitor("2a02:cfc0::1"), wish)
    ledger.seal(site=site)
    assert [link.entry_id for link in Link.objects.all()] == [at(GRANTED).entry_id]
    return site


def put_to(entry: Entry) -> None:
    """Put the one link that there is to another entry as well."""
    link = Link.objects.get()
    link.entry_id, link.time = entry.pk, entry.time
    link.save(force_insert=True)


def test_a_link_that_was_removed_is_named(choices: Site) -> None:
    with in_spite_of_triggers():
        Link.objects.filter(pk=at(GRANTED).entry_id).delete()
    says = "its link is gone, and no erasure took it."
    assert first_wrong() == named(GRANTED) + says


@pytest.mark.parametrize("change", [{"visitor": "0" * 32}, {"salt": b"0" * 32}])
def test_a_link_to_somebody_else_is_named(choices: Site, change: Any) -> None:
    with in_spite_of_triggers():
        Link.objects.filter(pk=at(GRANTED).entry_id).update(**change)
    says = "its link is not the one that was recorded with it."
    assert first_wrong() == named(GRANTED) + says


@pytest.mark.parametrize("others", [0, 1])
def test_a_link_that_was_put_to_a_record_of_nobody_is_named(
    visitor: NewVisitor, choices: Site, others: int
) -> None:
    """At the last entry it is met with; before others it is one link too many."""
    for _ in range(others):
        choose(visitor("2a02:cfc0::1"), NONE)
        ledger.seal(site=choices)
    verified()
    put_to(Entry.objects.get(pk=at(REFUSED).entry_id))
    says = "its link is not the one that was recorded with it."
    assert first_wrong() == named(REFUSED) + says


@pytest.mark.parametrize("log", [1, 2, None])
def test_such_a_link_is_named_in_a_later_log_and_in_the_queue_too(
    visitor: NewVisitor, choices: Site, log: int | None
) -> None:
    if log == 2:
        choose(visitor("2a02:cfc0::1"), NONE)
        ledger.seal(site=choices)
        put_back(REFUSED + 1)
        begin_log(site=choices, at=NOON)
    there = list(Entry.objects.values_list("pk", flat=True))
    choose(visitor("2a02:cfc0::1"), NONE)
    if log is not None:
        ledger.seal(site=choices)
    refused = Entry.objects.exclude(pk__in=there).get()
    verified()
    put_to(refused)
    [found] = all_wrong()
    says = "its link is not the one that was recorded with it"
    assert (found["says"], found["log"]) == (says, log)
    assert found["receipt"] == refused.pk.hex


def test_a_link_to_an_entry_that_is_not_there_is_named(choices: Site) -> None:
    link = Link.objects.get(pk=at(GRANTED).entry_id)
    link.entry_id = "0123456789abcdef0123456789abcdef"
    link.save(force_insert=True)
    says = "its link has no entry."
    assert first_wrong() == f"default, receipt {link.entry_id}: {says}"


def test_links_of_a_log_that_grows_meanwhile_are_none_too_many(
    choices: Site, parisian: Client
) -> None:
    def grow(_done: int, _all: int) -> None:
        choose(parisian, ALL)
        ledger.seal(site=choices)
        choose(parisian, ALL)

    before = Link.objects.count()
    [report] = verify(Wanted(sites=[choices]), tell=grow)
    assert (report.count, Link.objects.count()) == (0, before + 2)
