"""What was erased and dropped verifies; what was only made to look so does not."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client

from consent import ledger, publication
from consent.audit.verifying import removals
from consent.core.record import Act
from consent.models import Content, Entry, Link, Removal, Restricted, Site
from consent.models.site import Erasure
from tests.conftest import NOON, NewVisitor
from tests.tampering import all_wrong, first_wrong, in_spite_of_triggers, verified
from tests.visits import ALL, NONE, OWN_PAGE, choose

FIVE_YEARS = timedelta(days=1826)


def erase(browser: Client) -> None:
    response = browser.delete("/api/v1/visitor", headers=OWN_PAGE)
    assert response.status_code == 200, response.content


@pytest.fixture(params=[Erasure.RESTRICT, Erasure.AT_ONCE])
def erased(request: Any, visitor: NewVisitor, site: Site, noon: Any) -> Site:
    """Somebody's two records were erased; somebody else's are there."""
    site.erasure = request.param
    site.save()
    publication.forget()
    somebody = visitor("2a02:cfc0::1")
    for browser in (somebody, visitor("2a02:cfc0::1")):
        choose(browser, ALL)
        choose(browser, {**NONE, "analytics": True})
    erase(somebody)
    ledger.seal(site=site)
    assert Removal.objects.count() == 2
    return site


@pytest.fixture
def dropped(erased: Site, noon: time_machine.Traveller) -> Site:
    """Five years later what was erased and what nobody needs is dropped."""
    noon.move_to(NOON + FIVE_YEARS)
    publication.forget()
    call_command("prune_ledger", "--days", "1095", verbosity=0)
    ledger.seal(site=erased)
    assert Removal.objects.filter(reason="retention").exists()
    return erased


def removal(reason: str = "erasure") -> Removal:
    found = Removal.objects.filter(reason=reason).order_by("entry_id").first()
    assert found is not None
    return found


def told(entry: uuid.UUID) -> list[str]:
    """What is said of an entry."""
    return [f["says"] for f in all_wrong() if f["receipt"] == entry.hex]


def test_a_ledger_with_erased_records_verifies(erased: Site) -> None:
    [site] = verified("--signatures")["sites"]
    assert site["erased"] == 2
    assert site["logs"][0]["removed"] == 0


def test_removals_are_checked_some_acts_at_a_time(
    dropped: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removals, "_AT_ONCE", 1)
    verified()
    act = uuid.uuid4()
    hidden = hide(dropped, act)
    says = f"it was removed by the act {act.hex}, which is not in the ledger"
    assert told(hidden) == [says]


def test_a_ledger_with_dropped_contents_verifies(dropped: Site) -> None:
    [site] = verified("--signatures")["sites"]
    gone = Removal.objects.filter(reason="retention").count()
    assert site["logs"][0]["removed"] == gone > 1


def test_what_is_erased_and_dropped_before_it_is_sealed_verifies(
    parisian: Client, site: Site, noon: time_machine.Traveller
) -> None:
    choose(parisian, ALL)
    erase(parisian)
    noon.move_to(NOON + FIVE_YEARS)
    publication.forget()
    call_command("prune_ledger", "--days", "1095", verbosity=0)
    assert not Content.objects.filter(kind="consent").exists()
    [report] = verified()["sites"]
    assert report["logs"] == []
    assert report["waiting"] == Entry.objects.count()
    ledger.seal(site=site)
    assert verified()["sites"][0]["logs"][0]["removed"] == 2


def test_a_link_that_is_there_again_after_its_erasure_is_named(erased: Site) -> None:
    entry = Entry.objects.get(pk=removal().entry_id)
    Link.objects.create(
        entry=entry, site=erased, salt=b"", visitor="", user="7", time=entry.time
    )
    assert "it is linked to somebody again, after its erasure" in told(entry.pk)


def test_a_restricted_link_of_a_record_that_was_dropped_is_named(dropped: Site) -> None:
    entry = Entry.objects.get(pk=removal().entry_id)
    Restricted.objects.create(
        entry=entry,
        site=dropped,
        salt=b"0" * 32,
        visitor="0" * 32,
        time=entry.time,
        restricted_at=NOON,
    )
    assert told(entry.pk) == ["its restricted link is there after its retention"]


def test_a_restricted_link_that_was_edited_is_named(erased: Site) -> None:
    if erased.erasure == Erasure.AT_ONCE:
        assert not Restricted.objects.exists()
        return
    with in_spite_of_triggers():
        Restricted.objects.filter(pk=removal().entry_id).update(visitor="0" * 32)
    says = "its restricted link does not open its pseudonym"
    assert told(removal().entry_id) == [says]


def test_a_link_restricted_without_an_erasure_is_named(erased: Site) -> None:
    link = Link.objects.first()
    assert link is not None
    Restricted.objects.create(
        entry_id=link.pk,
        site=erased,
        salt=link.salt,
        visitor=link.visitor,
        time=link.time,
        restricted_at=NOON,
    )
    assert told(link.pk) == ["its link is restricted, and no erasure did that"]


def somebodys() -> Content:
    """A record of the person who was not erased."""
    content = Content.objects.filter(pk__in=Link.objects.values("pk")).last()
    assert content is not None
    return content


def hide(site: Site, act: uuid.UUID, reason: str = "retention") -> uuid.UUID:
    """Take the contents of a record away as if an act had; the database lets it."""
    content = somebodys()
    Removal.objects.create(
        site=site, entry_id=content.pk, reason=reason, act_id=act, time=NOON
    )
    Link.objects.filter(pk=content.pk).delete()
    if reason == "retention":
        Content.objects.filter(pk=content.pk).delete()
    return content.pk


def test_a_removal_that_no_act_made_is_named(erased: Site) -> None:
    act = uuid.uuid4()
    hidden = hide(erased, act)
    says = f"it was removed by the act {act.hex}, which is not in the ledger"
    assert told(hidden) == [says]


def test_a_removal_by_an_act_that_removed_others_is_named(dropped: Site) -> None:
    real = removal("retention")
    before = Removal.objects.filter(act=real.act_id).count()
    hide(dropped, real.act_id)
    says = f"which removed {before} entries, and not the {before + 1} that name it now"
    assert says in first_wrong()


def test_a_removal_by_an_act_of_another_kind_is_named(erased: Site) -> None:
    hidden = hide(erased, removal().act_id)
    assert "which removes for another reason" in str(all_wrong())
    act = Content.objects.filter(kind="act", event="policy_published").get()
    with in_spite_of_triggers():
        Removal.objects.filter(entry=hidden).update(act=act.pk)
    assert told(hidden) == [
        f"it was removed by the act {act.pk.hex}, which removes nothing"
    ]


def test_a_removal_by_an_act_that_our_key_did_not_sign_is_named(erased: Site) -> None:
    """Whoever can write into the database can make an act look right, but not sign."""
    content = somebodys()
    hashed = bytes(content.entry.leaf_hash)
    act = Act(
        id=ledger.new_id(),
        site=erased.slug,
        time=NOON,
        act="retention_run",
        subject=None,
        detail={"entries": 1, "root": hashed.hex(), "days": 1095},
    )
    made = ledger.append(site=erased, entry=act, owner=None)
    hidden = hide(erased, uuid.UUID(made.id))
    assert hidden == content.pk
    verified()
    with in_spite_of_triggers():
        Entry.objects.filter(pk=made.id).update(signature=b"\x00" * 64)
    says = (
        f"it was removed by the act {made.id}, which was not recorded so, or not signed"
    )
    assert told(hidden) == [says]


def test_a_removal_that_was_taken_back_is_named(dropped: Site) -> None:
    real = removal("retention")
    with in_spite_of_triggers():
        Removal.objects.filter(pk=real.pk, site=dropped).delete()
    says = "its contents are gone, and no retention run took them"
    assert says in told(real.entry_id)
