"""A ledger that is what was recorded verifies; one entry that is not is named."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from hypothesis import given
from hypothesis import strategies as st

from consent import ledger
from consent.audit.verify import Wanted, verify
from consent.audit.verifying.contents import Contents, Reading
from consent.audit.verifying.members import (
    columns,
    compared,
    documents,
    members,
)
from consent.audit.verifying.records import Records
from consent.audit.verifying.rows import Stretch
from consent.core.canonical import canonical
from consent.core.merkle import leaf_hash
from consent.models import Content, Entry, Leaf, Site
from tests.conftest import NOON, NewVisitor
from tests.logs import another_site, write
from tests.tampering import (
    all_wrong,
    at,
    first_wrong,
    in_spite_of_triggers,
    named,
    verified,
)
from tests.test_ledger_append_only import vectors
from tests.visits import ALL, NONE, choose

GRANTED, REFUSED = 3, 4


@pytest.fixture
def choices(visitor: NewVisitor, site: Site) -> Site:
    """A log of three acts, then a grant that is linked, then a refusal of nobody."""
    ledger.seal(site=site)
    for wish in (ALL, NONE):
        choose(visitor("2a02:cfc0::1"), wish)
        ledger.seal(site=site)
    events = [content(place).get().event for place in (GRANTED, REFUSED)]
    assert events == ["granted", "refused"]
    return site


def entry(place: int) -> Any:
    return Entry.objects.filter(pk=at(place).entry_id)


def content(place: int) -> Any:
    return Content.objects.filter(pk=at(place).entry_id)


def test_a_ledger_of_choices_verifies_and_is_told_of(choices: Site) -> None:
    [site] = verified("--signatures")["sites"]
    [log] = site["logs"]
    assert log["origin"] == "127.0.0.1/log/default"
    assert log["entries"] == Entry.objects.count()
    assert log["checkpoints"] == 3
    assert (site["waiting"], site["erased"], site["remarks"]) == (0, 0, [])


def test_what_waits_is_checked_and_counted(choices: Site) -> None:
    write(choices, 3)
    [site] = verified()["sites"]
    assert site["waiting"] == 3


def test_a_site_that_sealed_nothing_verifies(db: None) -> None:
    another_site()
    assert [site["site"] for site in verified()["sites"]] == ["shop"]


def test_a_log_that_grows_meanwhile_verifies_up_to_where_it_was(choices: Site) -> None:
    write(choices, 300)
    ledger.seal(site=choices)
    size = Leaf.objects.count()
    grown = []

    def grow(done: int, total: int) -> None:
        assert done == total == size
        write(choices, 300, first=1000)
        ledger.seal(site=choices)
        grown.extend(write(choices, 2, first=2000))

    [report] = verify(Wanted(sites=[choices]), tell=grow)
    assert grown
    assert report.count == 0, report.findings
    assert report.logs[0].entries == size
    assert Leaf.objects.count() == size + 300
    assert report.waiting == 2


def test_an_edited_record_is_named(choices: Site) -> None:
    before = content(GRANTED).get().canonical
    with in_spite_of_triggers():
        content(GRANTED).update(canonical=before.replace("granted", "refused"))
    assert first_wrong() == (
        named(GRANTED) + "its contents are not those that its leaf hash was made of."
    )


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("kind", "act"),
        ("event", "refused"),
        ("country", "DE"),
        ("rule", "DE"),
        ("model", "notice"),
        ("surface", "banner"),
        ("policy_version", 2),
        ("gpc", True),
        ("time", NOON),
    ],
)
def test_an_edited_column_is_named(choices: Site, column: str, value: Any) -> None:
    with in_spite_of_triggers():
        content(GRANTED).update(**{column: value})
    assert first_wrong().startswith(named(GRANTED) + f"its column {column} says")
    assert [found["index"] for found in all_wrong()] == [GRANTED]


@pytest.mark.parametrize("column", ["event", "policy_version", "time"])
def test_an_edited_column_of_an_act_is_named(choices: Site, column: str) -> None:
    values = {"event": "other", "policy_version": 1, "time": NOON}
    with in_spite_of_triggers():
        content(0).update(**{column: values[column]})
    assert first_wrong().startswith(named(0) + f"its column {column} says")


def test_the_time_of_an_entry_and_of_its_content_moved_together_is_named(
    choices: Site,
) -> None:
    with in_spite_of_triggers():
        for rows in (entry(REFUSED), content(REFUSED)):
            rows.update(time=F("time") + timedelta(milliseconds=1))
    assert first_wrong().startswith(named(REFUSED) + "its column time says")


def test_contents_of_another_entry_are_named(choices: Site) -> None:
    """Whoever swaps contents and leaf hashes still has the wrong numbers."""
    two = [content(GRANTED).get(), content(REFUSED).get()]
    with in_spite_of_triggers():
        for place, other in zip((GRANTED, REFUSED), reversed(two), strict=True):
            content(place).update(canonical=other.canonical)
            hashed = leaf_hash(other.canonical.encode())
            entry(place).update(leaf_hash=hashed)
    assert f"its column id says '{two[0].pk.hex}'" in first_wrong()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": 2}, "its contents are not of format 1"),
        ({"site": "shop"}, "its contents are those of another site"),
        ({"kind": "act"}, "its contents lack a member of format 1"),
    ],
)
def test_contents_that_are_no_record_of_the_site_are_named(
    choices: Site, change: dict[str, Any], says: str
) -> None:
    members = {**json.loads(content(REFUSED).get().canonical), **change}
    data = canonical(members)
    with in_spite_of_triggers():
        content(REFUSED).update(canonical=data.decode())
        entry(REFUSED).update(leaf_hash=leaf_hash(data))
    assert first_wrong() == f"{named(REFUSED)}{says}."


def test_an_entry_that_was_removed_is_named(choices: Site) -> None:
    name = named(GRANTED)
    with in_spite_of_triggers():
        entry(GRANTED)._raw_delete("default")
    assert first_wrong() == name + "its entry is gone."


def test_contents_that_were_removed_are_named(choices: Site) -> None:
    with in_spite_of_triggers():
        content(GRANTED).delete()
    says = "its contents are gone, and no retention run took them."
    assert first_wrong() == named(GRANTED) + says


def test_a_receipts_signature_is_verified_when_that_is_asked(choices: Site) -> None:
    other = entry(REFUSED).get().signature
    with in_spite_of_triggers():
        entry(GRANTED).update(signature=other)
    verified()
    says = "its receipt’s signature is not good."
    assert first_wrong("--signatures") == named(GRANTED) + says


@given(
    texts=st.lists(st.text(st.sampled_from('aé"\\\n{}[]:,'), max_size=9), min_size=9),
    gpc=st.booleans(),
    visitor=st.sampled_from([None, "0" * 64]),
    again=st.integers(1, 2),
)
def test_what_is_read_fast_is_what_json_says(
    texts: list[str], gpc: bool, visitor: str | None, again: int
) -> None:
    event, rule, country, model, surface, policy, notice, book, audience = texts[:9]
    found = {
        **vectors()[0]["members"],
        "event": event,
        "model": model,
        "surface": surface,
        "audience": audience,
        "jurisdiction": {"rule": rule, "rulebook": book},
        "policy": {"hash": policy, "version": 7},
        "notice": {"hash": notice or None, "language": "en"},
        "visitor": visitor,
    }
    found["location"] = {**found["location"], "country": country or None}
    found["signals"] = {**found["signals"], "gpc": gpc}
    text = canonical(found).decode()
    records = Records("default")
    for _ in range(again):  # from the second on it is remembered
        read = records.read(text, found["id"])
    said = compared(members(text, site="default"))
    whole = ((columns(said), documents(said)), said["time"], visitor)
    assert read == (None if "\\" in text else whole)
    assert records.read(text, "0" * 32) is None


def test_a_value_that_is_no_text_is_named_and_stops_nothing() -> None:
    """SQLite keeps bytes in a column of text, if somebody puts them there."""
    whose = Reading(site=1, slug="default", keys={})
    checked = Contents(whose)
    row = ("granted", "FR", "consent", "FR", "opt_in", 1, False, "banner")
    time = "2026-11-23 12:00:00"
    entry, content = ("a", b"x" * 32, time), ("a", b"{}", time, *row)
    source = Stretch(site=1, log=1, first=0, last=2).source
    checked.check([(0, "a" * 32, entry, content, None)], source)
    [found] = checked.findings
    assert (found.index, found.receipt) == (0, "a" * 32)
    assert found.says == "it has a value of another kind than its column is for"
