"""What records point at, and what waits or stands nowhere: each is looked for."""

from typing import Any

import pytest
from django.test import Client

from consent import ledger
from consent.models import (
    Asset,
    Content,
    Leaf,
    Notice,
    PolicyVersion,
    RuleBookVersion,
    Site,
    Waiting,
)
from tests.logs import write
from tests.tampering import all_wrong, first_wrong, in_spite_of_triggers
from tests.visits import ALL, choose


@pytest.fixture
def choices(parisian: Client, site: Site) -> Site:
    """A log with a grant that points at a policy, a notice and a rule book."""
    choose(parisian, ALL)
    ledger.seal(site=site)
    return site


def last() -> Leaf:
    """The leaf of the grant."""
    found = Leaf.objects.order_by("index").last()
    assert found is not None
    return found


def test_an_entry_that_was_taken_out_of_the_queue_is_named(choices: Site) -> None:
    numbers = write(choices, 3)
    with in_spite_of_triggers():
        Waiting.objects.filter(pk=numbers[1]).delete()
    says = "it is in no log, and was taken out of the queue."
    assert first_wrong() == f"default, receipt {numbers[1]}: {says}"


def test_an_entry_that_waits_although_it_is_sealed_is_named(choices: Site) -> None:
    Waiting.objects.create(entry_id=last().entry_id, site=choices)
    number = last().entry_id.hex
    says = "it waits, and is in a log already."
    assert first_wrong() == f"default, receipt {number}: {says}"


def test_a_record_edited_while_it_waits_is_named(choices: Site) -> None:
    [number] = write(choices, 1)
    with in_spite_of_triggers():
        Content.objects.filter(pk=number).update(canonical="{}")
    assert first_wrong().startswith(f"default, receipt {number}: its contents are not")


def test_contents_without_an_entry_are_named(choices: Site) -> None:
    made = Content.objects.get(pk=last().entry_id)
    made.entry_id = "0123456789abcdef0123456789abcdef"
    made.save(force_insert=True)
    found = all_wrong()
    assert [(f["receipt"], f["says"]) for f in found] == [
        ("0123456789abcdef0123456789abcdef", "its contents have no entry")
    ]


def replace_policy() -> None:
    document = {**PolicyVersion.objects.get().document, "privacy_policy_url": "x"}
    PolicyVersion.objects.update(document=document)


def edit_style() -> None:
    notice = Notice.objects.get()
    Asset.objects.filter(hash=notice.document["styles"][0]).update(body=b"* {}")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (replace_policy, "policy version 1 is not what its hash names"),
        (lambda: PolicyVersion.objects.update(hash="x"), "policy"),
        (lambda: PolicyVersion.objects.update(version=7), "has not the version 1"),
        (lambda: Notice.objects.update(document={}), "notice"),
        (lambda: Notice.objects.all().delete(), "is not kept"),
        (lambda: RuleBookVersion.objects.update(document={"a": 1.5}), "rule book"),
        (lambda: RuleBookVersion.objects.all().delete(), "is not kept"),
        (edit_style, "is not what its hash names"),
        (lambda: Asset.objects.all().delete(), "is not kept"),
    ],
)
def test_a_document_that_was_replaced_is_named(
    choices: Site, change: Any, says: str
) -> None:
    with in_spite_of_triggers():
        change()
    assert says in first_wrong()
