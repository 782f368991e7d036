"""`manage.py export_ledger`: the whole log as files, in order, in little memory."""

import base64
import csv
import hashlib
import io
import json
import tracemalloc
import uuid
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from consent import ledger
from consent.audit.export import MANIFEST, ExportError, Options, export
from consent.audit.export_rows import BATCH, COLUMNS, as_cells
from consent.audit.pack import verify_evidence
from consent.core.merkle import leaf_hash, root
from consent.core.signed_note import parse_checkpoint, parse_note
from consent.models import Checkpoint, Content, Entry, Leaf, Removal, Site
from tests.conftest import NOON, NewVisitor
from tests.logs import another_site, leaf_hashes, write
from tests.visits import ALL, NONE, choose

BOTH = ("jsonl", "csv")


def command(out: Path, *words: str) -> str:
    told = StringIO()
    call_command("export_ledger", *words, "--out", str(out), stdout=told, stderr=told)
    return told.getvalue()


def manifest(out: Path) -> dict[str, Any]:
    return json.loads((out / MANIFEST).read_bytes())


def lines(out: Path) -> list[dict[str, Any]]:
    """Every entry of an export, in the order of its files."""
    names = [name for name in manifest(out)["files"] if name.endswith(".jsonl")]
    texts = [(out / name).read_text(encoding="utf-8") for name in names]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def cells(out: Path) -> list[dict[str, str]]:
    names = [name for name in manifest(out)["files"] if name.endswith(".csv")]
    texts = [(out / name).read_bytes().decode() for name in names]
    return [row for t in texts for row in csv.DictReader(io.StringIO(t, newline=""))]


def whole(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir()}


@pytest.fixture
def sealed(parisian: Client, site: Site) -> Site:
    """A log with two choices among 20 acts."""
    choose(parisian, ALL, surface="banner", services={"video": False})
    write(site, 20)
    choose(parisian, NONE)
    ledger.seal(site=site)
    return site


# --- what is exported ----------------------------------------------------------------


def test_every_entry_is_told_once_in_the_order_of_the_log(
    sealed: Site, tmp_path: Path
) -> None:
    command(tmp_path / "out")
    found = lines(tmp_path / "out")
    assert [row["index"] for row in found] == list(range(Entry.objects.count()))
    assert [bytes.fromhex(row["leaf_hash"]) for row in found] == leaf_hashes(sealed)
    assert list(found[0]) == [
        *("log", "index", "id", "time", "leaf_hash", "key_id", "signature"),
        *("canonical", "gone"),
    ]


def test_an_export_proves_itself_with_its_head_and_its_keys(
    sealed: Site, tmp_path: Path
) -> None:
    command(tmp_path / "out")
    told = manifest(tmp_path / "out")
    (log,) = told["logs"]
    keys = verify_evidence.Keys([], told["keys"])
    keys.require_checkpoint(verify_evidence.Checkpoint(log["checkpoint"]))
    hashes = []
    for row in lines(tmp_path / "out"):
        canonical = row["canonical"].encode()
        hashes.append(leaf_hash(canonical))
        signature = base64.b64decode(row["signature"])
        keys.require_receipt(row["key_id"], canonical, signature)
    head = parse_checkpoint(parse_note(log["checkpoint"]).text)
    assert root(hashes) == head.root == bytes.fromhex(log["root"])
    assert head.size == log["tree_size"] == len(hashes) == told["entries"]


def test_the_manifest_names_every_file_with_its_hash(
    sealed: Site, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command(out, "--format", "both")
    told = manifest(out)
    assert set(told["files"]) | {MANIFEST} == {path.name for path in out.iterdir()}
    for name, about in told["files"].items():
        body = (out / name).read_bytes()
        assert about == {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    assert (told["format"], told["site"]) == ("consent-ledger-export/1", "default")
    assert any("apostrophe" in note for note in told["notes"])


def test_what_is_sealed_while_an_export_runs_is_left_for_the_next(
    sealed: Site, tmp_path: Path
) -> None:
    size = Entry.objects.count()

    def seal_more(_part: dict[str, Any]) -> None:
        write(sealed, 5, first=1000 + Entry.objects.count())
        ledger.seal(site=sealed)

    export(
        site=sealed,
        out=tmp_path / "out",
        options=Options(part=10),
        at=NOON,
        after_part=seal_more,
    )
    assert Entry.objects.count() > size
    assert len(lines(tmp_path / "out")) == size
    assert manifest(tmp_path / "out")["logs"][0]["tree_size"] == size


def test_what_waits_for_its_place_is_not_exported(sealed: Site, tmp_path: Path) -> None:
    size = Entry.objects.count()
    write(sealed, 3, first=1000)
    command(tmp_path / "out")
    assert len(lines(tmp_path / "out")) == size


def test_the_second_log_of_a_site_comes_after_the_first(
    sealed: Site, tmp_path: Path
) -> None:
    ledger.open_log(site=sealed, number=2, at=NOON)
    write(sealed, 4, first=1000)
    ledger.seal(site=sealed)
    command(tmp_path / "out")
    found = [(row["log"], row["index"]) for row in lines(tmp_path / "out")]
    assert found == sorted(found)
    assert found[-4:] == [(2, 0), (2, 1), (2, 2), (2, 3)]
    origins = [log["origin"] for log in manifest(tmp_path / "out")["logs"]]
    assert origins == ["127.0.0.1/log/default", "127.0.0.1/log/default/2"]


def test_only_entries_of_the_times_that_were_asked_for_are_told(
    site: Site, tmp_path: Path
) -> None:
    write(site, 10, first=100)
    ledger.seal(site=site)
    export(
        site=site,
        out=tmp_path / "out",
        options=Options(
            since=NOON + timedelta(seconds=103), until=NOON + timedelta(seconds=107)
        ),
        at=NOON,
    )
    times = [row["time"] for row in lines(tmp_path / "out")]
    assert times == [f"2026-11-23T12:01:{s}.000Z" for s in (43, 44, 45, 46)]
    assert command(tmp_path / "day", "--since", "2026-11-23", "--until", "2026-11-24")
    assert len(lines(tmp_path / "day")) == 10
    command(tmp_path / "none", "--until", "1999-01-01T00:00:00Z")
    assert (manifest(tmp_path / "none")["entries"], whole(tmp_path / "none")) == (
        0,
        {MANIFEST: (tmp_path / "none" / MANIFEST).read_bytes()},
    )


def test_what_was_removed_is_told_without_its_content(
    sealed: Site, tmp_path: Path
) -> None:
    erased, kept = Content.objects.filter(kind="consent").order_by("time")
    act = Entry.objects.exclude(pk__in=[erased.pk, kept.pk])[0]
    Removal.objects.create(
        site=sealed, entry=erased.entry, reason="erasure", act=act, time=NOON
    )
    command(tmp_path / "out", "--format", "both")
    told = {row["id"]: row for row in lines(tmp_path / "out")}
    gone = told[erased.pk.hex]
    assert (gone["canonical"], gone["gone"]) == (None, "erased")
    assert told[kept.pk.hex]["gone"] is None
    assert manifest(tmp_path / "out")["gone"] == {
        "erased": 1,
        "retention": 0,
        "missing": 0,
    }
    (row,) = [c for c in cells(tmp_path / "out") if c["id"] == erased.pk.hex]
    assert (row["gone"], row["functional"]) == ("erased", "")


def test_another_sites_entries_are_not_told(sealed: Site, tmp_path: Path) -> None:
    other = another_site()
    write(other, 3)
    ledger.seal(site=other)
    with pytest.raises(CommandError, match="Say which site"):
        command(tmp_path / "out")
    command(tmp_path / "out", "--site", "shop")
    assert len(lines(tmp_path / "out")) == 3


# --- who the entries are of ----------------------------------------------------------


def test_what_ties_entries_to_people_is_told_only_where_it_is_asked_for(
    visitor: NewVisitor, site: Site, tmp_path: Path
) -> None:
    opening = choose(visitor("2a02:cfc0::1"), ALL)["receipt"]["opening"]
    ledger.seal(site=site)
    command(tmp_path / "plain", "--format", "both")
    texts = b"".join(whole(tmp_path / "plain").values()).decode()
    assert opening["visitor"] not in texts
    assert opening["salt"] not in texts
    command(tmp_path / "own", "--format", "both", "--with-links")
    links = [row["link"] for row in lines(tmp_path / "own") if row["link"]]
    assert links == [{**opening, "user": None, "sources": []}]
    told = {row["visitor_id"] for row in cells(tmp_path / "own")}
    assert told == {"", opening["visitor"]}


# --- tables --------------------------------------------------------------------------


def test_the_table_has_a_plain_value_in_every_column(
    sealed: Site, tmp_path: Path
) -> None:
    command(tmp_path / "out", "--format", "csv")
    rows = cells(tmp_path / "out")
    assert list(rows[0]) == list(COLUMNS)
    granted = next(row for row in rows if row["event"] == "partial" or row["services"])
    assert granted["functional"] == "yes"
    assert json.loads(granted["services"]) == {"video": False}
    assert (granted["country"], granted["rule"], granted["model"]) == (
        *("FR", "FR", "opt_in"),
    )
    assert (granted["gpc"], granted["policy_version"]) == ("no", "1")
    published = next(row for row in rows if row["event"] == "policy_published")
    assert published["kind"] == "act"
    assert published["subject"].startswith("sha256:")
    assert json.loads(published["detail"]) == {
        "version": 1,
        "unreviewed_languages": ["de", "es", "fr"],
    }


@pytest.mark.parametrize(
    "evil",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("x","y")'],
)
def test_no_cell_is_a_formula(evil: str) -> None:
    record = {"kind": "act", "act": evil, "subject": evil, "detail": {}}
    row = {"log": 1, "index": 0, "canonical": json.dumps(record), "gone": evil}
    (read,) = csv.reader(io.StringIO(as_cells(row).decode(), newline=""))
    told = [cell for cell in read if cell.strip("'") and evil in cell]
    assert told == [f"'{evil}"] * 3


def test_a_harmless_cell_is_left_as_it_is() -> None:
    record = {"kind": "act", "act": "a=b", "subject": 'l\'été, "là"', "detail": None}
    row = {"log": 1, "index": 0, "canonical": json.dumps(record), "gone": None}
    (read,) = csv.reader(io.StringIO(as_cells(row).decode(), newline=""))
    assert read[COLUMNS.index("event")] == "a=b"
    assert read[COLUMNS.index("subject")] == 'l\'été, "là"'


# --- going on after a stop -----------------------------------------------------------


class Killed(BaseException):
    """What stops a process without asking it."""


def killed_after(parts: int) -> Any:
    done: list[Any] = []

    def after(part: dict[str, Any]) -> None:
        done.append(part)
        if len(done) == parts:
            raise Killed

    return after


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_an_export_that_was_killed_goes_on_and_makes_the_same_files(
    sealed: Site, tmp_path: Path, parts: int
) -> None:
    told = {"site": sealed, "options": Options(formats=BOTH, part=7), "at": NOON}
    export(**told, out=tmp_path / "unbroken")
    out = tmp_path / "broken"
    with pytest.raises(Killed):
        export(**told, out=out, after_part=killed_after(parts))
    assert not (out / MANIFEST).exists()
    assert len(list(out.glob("log*"))) == 2 * parts
    # What was being written when the machine stopped.
    (out / ".log1-000000000007.jsonl.part").write_bytes(b'{"half')
    write(sealed, 9, first=1000)
    ledger.seal(site=sealed)
    export(**{**told, "at": NOON + timedelta(days=1)}, out=out, resume=True)
    assert {n: b for n, b in whole(out).items() if not n.startswith(".")} == whole(
        tmp_path / "unbroken"
    )


def test_going_on_does_not_write_whole_files_again(
    sealed: Site, tmp_path: Path
) -> None:
    told = {"site": sealed, "options": Options(part=7), "at": NOON}
    out = tmp_path / "out"
    with pytest.raises(Killed):
        export(**told, out=out, after_part=killed_after(2))
    before = {path.name: path.stat().st_ino for path in out.glob("log*")}
    written: list[int] = []
    export(
        **told,
        out=out,
        resume=True,
        after_part=lambda part: written.append(part["first"]),
    )
    assert written[0] == 14
    assert before.items() <= {p.name: p.stat().st_ino for p in out.glob("log*")}.items()


def test_a_file_that_is_gone_is_written_again(sealed: Site, tmp_path: Path) -> None:
    told = {"site": sealed, "options": Options(part=7), "at": NOON}
    with pytest.raises(Killed):
        export(**told, out=tmp_path / "out", after_part=killed_after(2))
    (tmp_path / "out" / "log1-000000000000.jsonl").unlink()
    export(**told, out=tmp_path / "out", resume=True)
    assert len(lines(tmp_path / "out")) == Entry.objects.count()


@pytest.mark.parametrize("damage", [b"", b"cut", None])
def test_a_file_that_is_not_what_it_was_is_written_again(
    sealed: Site, tmp_path: Path, damage: bytes | None
) -> None:
    told = {"site": sealed, "options": Options(part=7), "at": NOON}
    with pytest.raises(Killed):
        export(**told, out=tmp_path / "out", after_part=killed_after(2))
    path = tmp_path / "out" / "log1-000000000000.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole.swapcase() if damage is None else damage)
    export(**told, out=tmp_path / "out", resume=True)
    assert path.read_bytes() == whole
    assert path.stat().st_mode & 0o077 == 0


def test_an_export_goes_on_only_with_the_same_options(
    sealed: Site, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options = Options(part=7)
    with pytest.raises(Killed):
        export(
            site=sealed, out=out, options=options, at=NOON, after_part=killed_after(1)
        )
    other = Options(part=7, with_links=True)
    with pytest.raises(ExportError, match="with other options"):
        export(site=sealed, out=out, options=other, at=NOON, resume=True)
    with pytest.raises(CommandError, match="--resume"):
        command(out)


def test_a_folder_that_holds_something_is_not_written_into(
    sealed: Site, tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(CommandError, match="not empty"):
        command(tmp_path)
    out = tmp_path / "out"
    command(out)
    for words in ([], ["--resume"]):
        with pytest.raises(CommandError, match="complete"):
            command(out, *words)
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match=r"cannot be written|not empty"):
        command(tmp_path / "file" / "out")


def test_resuming_where_nothing_was_begun_begins(sealed: Site, tmp_path: Path) -> None:
    told = command(tmp_path / "out", "--resume")
    assert f"{Entry.objects.count()} entries in 1 files" in told


def test_a_site_without_a_log_has_an_empty_export(site: Site, tmp_path: Path) -> None:
    command(tmp_path / "out")
    told = manifest(tmp_path / "out")
    assert (told["logs"], told["files"], told["entries"]) == ([], {}, 0)


# --- many entries --------------------------------------------------------------------


def build(site: Site, count: int) -> None:
    """A log of so many entries in a few statements; only its head is made up."""
    begun = Leaf.objects.count()
    canonical = json.dumps({"kind": "act", "act": "x" * 400, "detail": {}})
    entries = [
        Entry(
            id=uuid.uuid4(),
            site=site,
            leaf_hash=bytes(32),
            signature=bytes(64),
            key_id="0" * 16,
            time=NOON,
        )
        for _ in range(count)
    ]
    Entry.objects.bulk_create(entries, batch_size=500)
    Content.objects.bulk_create(
        (
            Content(
                entry=e, site=site, canonical=canonical, time=NOON, kind="act", event=""
            )
            for e in entries
        ),
        batch_size=500,
    )
    Leaf.objects.bulk_create(
        (
            Leaf(site=site, log=1, index=begun + place, entry=entry)
            for place, entry in enumerate(entries)
        ),
        batch_size=500,
    )
    head = Checkpoint.objects.latest("tree_size")
    Checkpoint.objects.create(
        site=site,
        log=1,
        tree_size=begun + count,
        root=bytes(32),
        note=head.note,
        key_id=head.key_id,
        time=NOON,
    )


def peak(site: Site, out: Path) -> int:
    tracemalloc.start()
    try:
        export(site=site, out=out, options=Options(), at=NOON)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_ten_times_the_entries_take_no_more_memory(site: Site, tmp_path: Path) -> None:
    ledger.seal(site=site)
    build(site, BATCH)
    few = peak(site, tmp_path / "few")
    build(site, 9 * BATCH)
    many = peak(site, tmp_path / "many")
    assert len(lines(tmp_path / "many")) > 9 * BATCH
    assert many < 1.5 * few


def test_the_database_is_asked_in_batches_and_never_for_a_count(
    sealed: Site, tmp_path: Path
) -> None:
    build(sealed, 2 * BATCH)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        export(site=sealed, out=tmp_path / "out", options=Options(), at=NOON)
    assert len(asked) < 25
    assert not any("COUNT(" in query["sql"] for query in asked)
