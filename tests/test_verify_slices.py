"""Long logs are verified in slices, by several processes, as short ones are at once."""

import os
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from consent import keys, ledger
from consent.audit import verify as verifying
from consent.audit.verifying import logs, rows, slices, walk
from consent.audit.verifying.contents import Reading
from consent.audit.verifying.rows import Stretch
from consent.audit.verifying.slices import Slice, Sliced, in_order
from consent.audit.verifying.tree import Peaks, fold
from consent.core import merkle
from consent.core.signed_note import checkpoint_text
from consent.core.tiles import EMPTY_EDGE
from consent.models import Checkpoint, Content, Leaf, Log, Site, Tile
from tests.logs import write
from tests.tampering import at, first_wrong, in_spite_of_triggers, undone, verified


def forged(checkpoint: Checkpoint, *, key: keys.SigningKey, root: bytes = b"") -> str:
    """The note of a checkpoint, by a key that is not ours, or of another root."""
    origin = Log.objects.get().origin
    wanted = root or bytes(checkpoint.root)
    text = checkpoint_text(origin=origin, size=checkpoint.tree_size, root=wanted)
    return f"{text}\n{key.note_line(text, name=origin)}"


@pytest.fixture
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs are cut into slices of one tile, so that a small log has several.

    A slice is read in three stretches.
    """
    for module in (logs, walk, verifying):
        monkeypatch.setattr(module, "SLICE", 256)
    monkeypatch.setattr(slices, "_AT_ONCE", 100)


@pytest.fixture
def long_log(site: Site, small_slices: None) -> Site:
    """A log of five slices, the last of them begun, with checkpoints within them."""
    for number in range(12):
        write(site, 97, first=1000 * number)
        ledger.seal(site=site)
    assert Tile.objects.count() == 4
    return site


def test_a_log_of_many_slices_verifies(long_log: Site) -> None:
    [report] = verified()["sites"][0]["logs"]
    assert (report["entries"], report["checkpoints"]) == (Leaf.objects.count(), 12)


def test_an_entry_of_any_slice_is_named(long_log: Site) -> None:
    for place in (0, 255, 256, 600, 1023, 1024, 1100):
        number = at(place).entry_id
        with undone(), in_spite_of_triggers():
            Content.objects.filter(pk=number).update(event="other")
            name = f"default, log 1, entry {place}, receipt {number.hex}: "
            assert first_wrong().startswith(name)
    verified()


def test_a_log_in_another_order_than_its_entries_were_given_verifies(
    site: Site, small_slices: None
) -> None:
    """Then many others were given about the time of each stretch of it."""
    for number in range(40):
        for begin in range(0, 400, 40):
            write(site, 1, first=begin + number)
        ledger.seal(site=site)
    [report] = verified()["sites"][0]["logs"]
    assert report["entries"] > 400
    number = at(200).entry_id
    with in_spite_of_triggers():
        Content.objects.filter(pk=number).update(event="other")
    name = f"default, log 1, entry 200, receipt {number.hex}: "
    assert first_wrong().startswith(f"{name}its column event says 'other'")


def test_contents_that_stand_apart_are_found_by_their_time(
    long_log: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As later ones do, where earlier ones were removed."""
    standing_at = rows._standing_at

    def apart(stretch: Stretch, places: Any, table: str, columns: Any) -> Any:
        if table.startswith("consent_content"):
            return None
        return standing_at(stretch, places, table, columns)

    monkeypatch.setattr(rows, "_standing_at", apart)
    verified("--jobs=1")
    number = at(700).entry_id
    with in_spite_of_triggers():
        Content.objects.filter(pk=number).update(event="other")
    assert first_wrong("--jobs=1").startswith("default, log 1, entry 700, receipt ")


def test_a_checkpoint_of_any_slice_is_held_against_its_tree(long_log: Site) -> None:
    root = b"\x07" * 32
    for head in Checkpoint.objects.all():
        note = forged(head, key=keys.signing_key(), root=root)
        with undone(), in_spite_of_triggers():
            Checkpoint.objects.filter(pk=head.pk).update(root=root, note=note)
            assert f"in the checkpoint of {head.tree_size} entries" in first_wrong()
    verified()


def test_a_tile_above_the_first_level_is_held_against_those_below(site: Site) -> None:
    roots = tuple(random.Random(n).randbytes(32) for n in range(256))
    edge, full = EMPTY_EDGE.extended(roots)
    part = Sliced(
        first=0,
        last=65_536,
        findings=(),
        count=0,
        roots={65_536: edge.root()},
        checkpoints=0,
        verified=0,
        claims=(),
        tile_roots=roots,
        suspects=(),
        documents={},
        removed=0,
        links=0,
        broken=None,
        ends=None,
        older=None,
    )

    def found() -> list[str]:
        taken = walk.Walk(site=site.pk, log=1, outside=())
        taken.take(part)
        return [finding.says for finding in taken.findings.first]

    assert found() == ["tile 1/0 is not kept"]
    tile = Tile(site=site, level=1, index=0, hashes=full[0].hashes, root=full[0].root)
    with undone():
        tile.save()
        assert found() == []
    tile.hashes = b"x" * 32 + tile.hashes[32:]
    tile.save(force_insert=True)
    assert found() == ["tile 1/0 holds other hashes than it must"]


@pytest.mark.parametrize(
    ("places", "leaves", "wrong"),
    [
        ([8, 9, 10], 3, []),
        ([9, 10], 0, [8]),
        ([8, 10], 1, [9]),
        ([8, 9], 2, [10]),
        ([8, 8, 9, 10], 1, [8]),
        ([8, 9, 10, 10], 3, [10]),
        ([], 0, [8]),
    ],
)
def test_every_place_is_taken_once(
    places: list[int], leaves: int, wrong: list[int]
) -> None:
    """Whoever can drop a constraint can put two entries in one place."""
    whose = Reading(site=1, slug="default", keys={})
    part = Slice(whose=whose, log=1, origin="x", first=8, last=11)
    placed = [
        (place, f"{number:032x}", b"x" * 32) for number, place in enumerate(places)
    ]
    sound, findings = in_order(placed, part)
    assert (len(sound), [found.index for found in findings]) == (leaves, wrong)


@pytest.mark.django_db(transaction=True)
def test_several_processes_find_what_one_does(
    long_log: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert os.environ["DJANGO_SETTINGS_MODULE"] == "tests.settings"
    monkeypatch.setattr(verifying, "WORTH", 1)
    with in_a_file(tmp_path / "db.sqlite3"):
        assert verified("--jobs", "2")["sites"][0]["logs"][0]["entries"] > 1024


@contextmanager
def in_a_file(path: Path) -> Iterator[None]:
    """What SQLite has in memory no other process can read: a copy of it for a while.

    The connection to memory is kept, because what is there ends with it.
    """
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    kept, name = connection.connection, connection.settings_dict["NAME"]
    with closing(sqlite3.connect(path)) as copy:
        kept.backup(copy)
    connection.connection = None
    connection.settings_dict["NAME"] = str(path)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name
        connection.connection = kept


@given(count=st.integers(1, 1100), wanted=st.lists(st.integers(1, 1100), max_size=8))
def test_roots_on_the_way_are_those_of_the_whole_tree(
    count: int, wanted: list[int]
) -> None:
    leaves = [random.Random(n).randbytes(32) for n in range(count)]
    sizes = sorted({min(size, count) for size in wanted})
    part = fold(leaves, sizes=sizes)
    assert {size: merkle.root(leaves[:size]) for size in sizes} == part.roots


@given(count=st.integers(0, 40), rest=st.integers(1, 8))
def test_complete_subtrees_and_a_rest_make_the_root(count: int, rest: int) -> None:
    leaves = [bytes([n]) * 32 for n in range(8 * count % 256 + rest)]
    whole = (len(leaves) - rest) // 8
    peaks = Peaks()
    for number in range(whole):
        peaks.push(merkle.root(leaves[8 * number : 8 * number + 8]))
    right = merkle.root(leaves[8 * whole :])
    assert peaks.root_with(right) == merkle.root(leaves)
