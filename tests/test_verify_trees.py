"""The trees, tiles and checkpoints of a log: what was changed in them is named."""

import pytest
from django.db.models import F

from consent import keys, ledger
from consent.core.merkle import leaf_hash
from consent.core.signed_note import checkpoint_text
from consent.models import (
    Anchor,
    Checkpoint,
    Content,
    Entry,
    Leaf,
    Log,
    PublicKey,
    Site,
    Tile,
)
from tests.conftest import NOON
from tests.logs import write
from tests.tampering import (
    all_wrong,
    at,
    first_wrong,
    in_spite_of_triggers,
    named,
    verified,
)

TILE, LATE = 100, 300


@pytest.fixture
def log(site: Site) -> Site:
    """A log with a full tile and some more, sealed in parts, some of one entry."""
    ledger.seal(site=site)
    for count in (40, 1, 230, 20, 1, 20):
        write(site, count, first=1000 * count)
        ledger.seal(site=site)
    assert Tile.objects.count() == 1
    assert Leaf.objects.filter(index=LATE).exists()
    return site


def test_a_log_with_tiles_and_many_checkpoints_verifies(log: Site) -> None:
    [report] = verified("--signatures")["sites"][0]["logs"]
    assert report["entries"] == Leaf.objects.count()
    assert report["checkpoints"] == 7


def swap(one: int, other: int) -> None:
    first, second = at(one), at(other)
    Leaf.objects.filter(pk=first.pk).update(index=-1)
    Leaf.objects.filter(pk=second.pk).update(index=one)
    Leaf.objects.filter(pk=first.pk).update(index=other)


def test_entries_that_changed_places_are_named(log: Site) -> None:
    with in_spite_of_triggers():
        swap(TILE, TILE + 7)
    says = "its leaf hash is not the one that was sealed in this place."
    assert first_wrong() == named(TILE) + says


def test_entries_that_changed_places_where_no_tile_is_yet_are_named(log: Site) -> None:
    sizes = Checkpoint.objects.order_by("tree_size")
    before, after = sizes.values_list("tree_size", flat=True)[4:6]
    with in_spite_of_triggers():
        swap(before, after)
    assert first_wrong() == (
        f"default, log 1, entry {before}: it does not lead to the root in the "
        f"checkpoint of {after} entries."
    )


def test_an_entry_that_was_rewritten_with_its_hash_is_named(log: Site) -> None:
    """Its number, contents, columns and leaf hash fit each other."""
    row = Content.objects.get(pk=at(TILE).entry_id)
    other = row.canonical.replace('"number":', '"number":1')
    with in_spite_of_triggers():
        Content.objects.filter(pk=row.pk).update(canonical=other)
        hashed = leaf_hash(other.encode())
        Entry.objects.filter(pk=row.pk).update(leaf_hash=hashed)
    says = "its leaf hash is not the one that was sealed in this place."
    assert first_wrong() == named(TILE) + says
    assert first_wrong("--signatures").endswith("signature is not good.")


def test_a_leaf_that_was_removed_is_named(log: Site) -> None:
    number = at(TILE).entry_id.hex
    with in_spite_of_triggers():
        Leaf.objects.filter(index=TILE).delete()
    found = [(f["index"], f["receipt"], f["says"]) for f in all_wrong()]
    assert found == [
        (TILE, None, "no entry has this place in the log"),
        (None, number, "it is in no log, and was taken out of the queue"),
    ]


def test_leaves_that_were_cut_off_are_named(log: Site) -> None:
    last = Leaf.objects.count() - 1
    with in_spite_of_triggers():
        Leaf.objects.filter(index__gte=LATE).delete()
    says = f"no entry has this place in the log, nor has any up to {last}."
    assert first_wrong() == f"default, log 1, entry {LATE}: {says}"


def test_a_leaf_that_was_put_in_is_named(log: Site) -> None:
    """All after it move on by one; the last is then one too many."""
    [number] = write(log, 1, first=50_000)
    with in_spite_of_triggers():
        later = Leaf.objects.filter(index__gte=TILE)
        later.update(index=-F("index"))
        Leaf.objects.filter(index__lt=0).update(index=1 - F("index"))
        Leaf.objects.create(site=log, index=TILE, entry_id=number)
    found = all_wrong()
    assert (found[0]["index"], found[0]["receipt"]) == (TILE, number)
    assert "no checkpoint covers it" in " ".join(f["says"] for f in found)


def test_a_leaf_that_was_added_is_named(log: Site) -> None:
    size = Leaf.objects.count()
    [number] = write(log, 1, first=50_000)
    Leaf.objects.create(site=log, index=size, entry_id=number)
    says = "it has this place in the log, and no checkpoint covers it."
    assert first_wrong() == f"default, log 1, entry {size}: {says}"


def test_leaves_of_a_log_that_is_not_there_are_named(log: Site) -> None:
    with in_spite_of_triggers():
        Leaf.objects.filter(index=LATE).update(log=7)
    assert "rows of leafs are there of a log that is not" in str(all_wrong())


@pytest.mark.parametrize("field", ["hashes", "root"])
def test_an_edited_tile_is_named(log: Site, field: str) -> None:
    tile = Tile.objects.get()
    edited = bytearray(bytes(getattr(tile, field)))
    edited[-1] ^= 1
    with in_spite_of_triggers():
        Tile.objects.update(**{field: bytes(edited)})
    assert "tile 0/0 has" in first_wrong() or "tile 0/0 holds" in first_wrong()
    assert len(all_wrong()) == 1


def test_a_tile_that_was_removed_or_added_is_named(log: Site) -> None:
    with in_spite_of_triggers():
        Tile.objects.update(index=1)
    found = [f["says"] for f in all_wrong()]
    beyond = f"tiles of level 0 are kept for 512 entries, not {Leaf.objects.count()}"
    assert found == ["tile 0/0 is not kept", beyond]


def forged(checkpoint: Checkpoint, *, key: keys.SigningKey, root: bytes = b"") -> str:
    """The note of a checkpoint, by a key that is not ours, or of another root."""
    origin = Log.objects.get().origin
    wanted = root or bytes(checkpoint.root)
    text = checkpoint_text(origin=origin, size=checkpoint.tree_size, root=wanted)
    return f"{text}\n{key.note_line(text, name=origin)}"


def second() -> Checkpoint:
    return Checkpoint.objects.order_by("tree_size")[1]


def test_a_checkpoint_signed_by_another_key_is_named(log: Site) -> None:
    other = keys._parse(keys.new_key(), "")
    size = second().tree_size
    note = forged(second(), key=other)
    with in_spite_of_triggers():
        Checkpoint.objects.filter(tree_size=size).update(note=note)
    where = f"default, log 1, entry {size - 1}: the checkpoint of {size} entries "
    assert first_wrong().startswith(where + "has no good signature of the key")
    with in_spite_of_triggers():
        Checkpoint.objects.filter(tree_size=size).update(key_id=other.id)
    assert (
        first_wrong() == where + f"is signed by the key {other.id}, which is not known."
    )


def test_a_checkpoint_of_another_root_is_named_whoever_signed_it(log: Site) -> None:
    root, size = b"\x07" * 32, second().tree_size
    note = forged(second(), key=keys.signing_key(), root=root)
    with in_spite_of_triggers():
        Checkpoint.objects.filter(tree_size=size).update(root=root)
    assert "says another origin, size or root than the row" in first_wrong()
    with in_spite_of_triggers():
        Checkpoint.objects.filter(tree_size=size).update(note=note)
    before = Checkpoint.objects.order_by("tree_size")[0].tree_size
    assert first_wrong() == (
        f"default, log 1, entry {before}: the entries {before} to {size - 1} do not "
        f"lead to the root in the checkpoint of {size} entries."
    )


def test_a_note_that_is_none_is_named(log: Site) -> None:
    with in_spite_of_triggers():
        Checkpoint.objects.filter(tree_size=second().tree_size).update(note="x")
    assert "is no signed checkpoint" in first_wrong()


def test_a_public_key_that_was_exchanged_is_named(log: Site) -> None:
    other = keys._parse(keys.new_key(), "").public_bytes
    with in_spite_of_triggers():
        PublicKey.objects.update(public=other)
    assert "which is not known" in first_wrong()
    assert "is not what its name says" in str(all_wrong())


def test_an_anchor_of_a_tree_that_is_not_there_is_named(log: Site) -> None:
    Anchor.objects.create(
        site=log, tree_size=10_000, kind="timestamp", name="x", token=b"x", time=NOON
    )
    size = Leaf.objects.count()
    says = f"an anchor is there for 10000 entries, and {size} are here."
    assert first_wrong() == f"default, log 1, entry {size}: {says}"


def test_a_clock_that_went_back_is_remarked_and_is_no_forgery(log: Site) -> None:
    with in_spite_of_triggers():
        Checkpoint.objects.filter(tree_size=second().tree_size).update(time=NOON)
    [site] = verified()["sites"]
    assert "a clock went back" in site["remarks"][0]
