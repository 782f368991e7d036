"""`manage.py import_choices`: tables of answers, taken over once and for all to see."""

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client

from consent import publication
from consent.core.imports import Source, Wishes
from consent.core.merkle import root
from consent.imports import PlanError, TableFile, running
from consent.models import Content, Entry, Link, Preference, Site
from tests.conftest import NOON, NewVisitor
from tests.visits import ALL, NONE, choose, decision, records, rows, sign_in

pytestmark = pytest.mark.usefixtures("noon", "site")
RECENT = "2026-11-01T10:00:00Z"
HEADER = "visitor,time,functional,analytics,marketing"
PARIS = "2a02:cfc0::1"

type Write = Callable[..., Path]


@pytest.fixture
def table(tmp_path: Path) -> Write:
    def write(*lines: str, header: str = HEADER, name: str = "old.csv") -> Path:
        path = tmp_path / name
        path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
        return path

    return write


def command(*words: object, source: str = "csv", site: str = "default") -> str:
    told = StringIO()
    arguments = [str(word) for word in words]
    call_command(
        "import_choices",
        *arguments,
        "--site",
        site,
        "--from",
        source,
        stdout=told,
        stderr=told,
    )
    return told.getvalue()


def acts(*names: str) -> list[dict[str, Any]]:
    """The acts of these names, in the order of the names and then of their lines."""
    found = Content.objects.filter(kind="act", event__in=names)
    told = [json.loads(one.canonical) for one in found]
    return sorted(
        told, key=lambda a: (names.index(a["act"]), a["detail"].get("lines", []))
    )


def test_refusals_are_imported_and_a_grant_only_as_the_same(table: Write) -> None:
    file = table(f"a,{RECENT},no,yes,no", f"b,{RECENT},,yes,")
    assert "1 records imported" in command(file)
    (record,) = records()
    assert (record["event"], record["surface"]) == ("imported", "api")
    assert record["purposes"] == {"functional": False, "marketing": False}
    assert record["notice"] == {"hash": None, "language": None}
    assert record["location"]["source"] == "unknown"
    assert record["time"] == "2026-11-23T12:00:00.000Z"
    assert not Link.objects.exists()


def test_a_grant_has_its_end_from_when_it_was_given_and_its_visitor(
    table: Write,
) -> None:
    file = table(f"a,{RECENT},no,yes,no")
    command(file, "--same-as", 1)
    (record,) = records()
    assert record["purposes"] == {**NONE, "analytics": True}
    assert record["valid_until"] == "2027-04-30T10:00:00.000Z"
    known = command("--who", "a").split()
    assert Link.objects.get().visitor in known


def test_a_grant_that_is_over_or_has_no_time_is_left_out(table: Write) -> None:
    file = table("a,2026-05-01,,yes,", "b,,,yes,", "c,,no,yes,")
    told = command(file, "--same-as", 1)
    assert "3 answers: 2 of which nothing counts" in told
    assert [r["purposes"] for r in records()] == [{"functional": False}]


def test_acts_say_where_it_came_from_and_commit_to_the_records(table: Write) -> None:
    file = table(f"a,{RECENT},no,yes,no", "b,2026-10-01,no,no,no")
    command(file, "--same-as", 1)
    begun, batch, ended = acts("import_begun", "imported", "import_ended")
    assert len({act["subject"] for act in (begun, batch, ended)}) == 1
    assert begun["detail"]["plan"] == {
        "source": "csv",
        "purposes": {p: [p] for p in ALL},
        "columns": {"who": 0, "time": 1},
        "same_as": 1,
        "accounts": "key",
    }
    detail = batch["detail"]
    assert (detail["lines"], detail["records"]) == ([1, 3], 2)
    assert detail["earliest"] == "2026-10-01T00:00:00.000Z"
    assert detail["latest"] == "2026-11-01T10:00:00.000Z"
    imported = Entry.objects.filter(content__event="imported", content__kind="consent")
    leaves = sorted(bytes(h) for h in imported.values_list("leaf_hash", flat=True))
    assert detail["root"] == root(leaves).hex()


def test_the_same_file_again_adds_nothing(table: Write) -> None:
    file = table(f"a,{RECENT},no,no,no")
    command(file)
    before = rows()
    with pytest.raises(CommandError, match="in already"):
        command(file)
    copy = table(f"a,{RECENT},no,no,no", name="copy.csv")
    with pytest.raises(CommandError, match="in already"):
        command(copy)
    assert rows() == before
    command(file, "--again")
    assert len(records()) == 2


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two answers a transaction."""
    monkeypatch.setattr(running, "_AT_ONCE", 2)


class Stopped(TableFile):
    """A table whose reading is stopped by somebody after a few transactions."""

    left = 2

    def require_unchanged(self) -> None:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1


def plan(same_as: bool = False) -> running.Plan:
    here = publication.by_slug("default")
    assert here is not None
    return running.Plan(
        here=here,
        source=Source.CSV,
        same_as=here.policy if same_as else None,
        people=None,
    )


def go_on(file: TableFile, how: running.Plan) -> running.Counts:
    return running.run(file, how, now=NOON, again=False)


def test_a_run_that_was_stopped_goes_on_where_it_was(small: None, table: Write) -> None:
    path = table(*(f"v{n},{RECENT},no,no,no" for n in range(7)))
    with pytest.raises(KeyboardInterrupt):
        go_on(Stopped(path, source=Source.CSV, wishes=Wishes()), plan())
    assert len(records()) == 4
    file = TableFile(path, source=Source.CSV, wishes=Wishes())
    with pytest.raises(PlanError, match="other options"):
        go_on(file, plan(same_as=True))
    assert go_on(file, plan()).records == 3
    lines = [act["detail"]["lines"] for act in acts("imported")]
    assert lines == [[1, 3], [4, 5], [6, 7], [8, 8]]
    with pytest.raises(PlanError, match="in already"):
        go_on(file, plan())


def test_what_fails_within_a_transaction_leaves_nothing_of_it(
    small: None, table: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = table(*(f"v{n},{RECENT},no,no,no" for n in range(4)))
    file = TableFile(path, source=Source.CSV, wishes=Wishes())
    tell = running.tell

    def fail(*args: Any, **kwargs: Any) -> None:
        if args[2] == "imported":
            raise OSError("the disk is full")
        tell(*args, **kwargs)

    monkeypatch.setattr(running, "tell", fail)
    with pytest.raises(OSError, match="full"):
        go_on(file, plan())
    assert records() == []
    monkeypatch.setattr(running, "tell", tell)
    assert go_on(file, plan()).records == 4


def test_a_file_that_changes_meanwhile_is_left(table: Write) -> None:
    path = table(f"a,{RECENT},no,no,no")
    file = TableFile(path, source=Source.CSV, wishes=Wishes())
    path.write_text(f"{HEADER}\nb,{RECENT},no,no,no\nc,,no,no,no\n")
    with pytest.raises(ValueError, match="changed"):
        go_on(file, plan())
    assert records() == []


def test_nothing_is_imported_while_a_row_is_bad_and_each_is_named(
    table: Write, tmp_path: Path
) -> None:
    file = table(f"a,{RECENT},no,no,no", "b,soon,no,no,no", f"c,{RECENT},perhaps,no,no")
    before = rows()
    with pytest.raises(CommandError, match="2 rows are not understood"):
        command(file)
    assert rows() == before
    kept = tmp_path / "bad.csv"
    told = command(file, "--skip-bad", kept)
    assert "line 3: 'soon' is no time" in told
    assert "line 4: 'perhaps' is no answer" in told
    assert "1 records imported" in told
    assert [line.split(",")[0] for line in kept.read_text().splitlines()] == ["3", "4"]
    assert kept.stat().st_mode & 0o077 == 0
    assert acts("import_ended")[0]["detail"]["bad"] == 2


def test_a_dry_run_writes_nothing(table: Write) -> None:
    before = rows()
    told = command(table(f"a,{RECENT},no,no,no"), "--dry-run")
    assert "1 answers" in told
    assert rows() == before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"visitor,time\n", "the header: it has no column with answers"),
        (b"visitor,time,analytics\n\xff,,no\n", "not UTF-8"),
        (b'visitor,time,analytics\n"a"b,,no\n', "line 2"),
        (b"visitor,time,analytics\na\0,,no\n", "NUL"),
        (b"visitor,time,analytics\n" + b"a" * 1_100_000, "a million"),
    ],
)
def test_a_file_of_which_nothing_can_be_read_is_told_of(
    tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / "old.csv"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=says):
        command(path)
    with pytest.raises(CommandError, match="cannot be read"):
        command(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--map", "analytics"), "no = between"),
        (("--map", "necessary=x"), "none of"),
        (("--column", "colour=x"), "none of"),
        (("--same-as", "9"), "never published version 9"),
        (("--accounts", "shoe_size"), "no field shoe_size"),
    ],
)
def test_an_option_that_is_not_understood_is_told_of(
    table: Write, words: tuple[str, ...], says: str
) -> None:
    with pytest.raises(CommandError, match=says):
        command(table(f"a,{RECENT},no,no,no"), *words)
    with pytest.raises(CommandError, match="no site"):
        command("x.csv", site="nowhere")


def test_an_account_is_found_by_its_key_and_merged_by_rule_8(
    table: Write, ada: Any, visitor: NewVisitor
) -> None:
    browser = visitor(PARIS)
    sign_in(browser, ada)
    choose(browser, {"analytics": True, "marketing": True})
    header = "account,time,functional,analytics,marketing"
    command(
        table(f"{ada.pk},{RECENT},yes,yes,no", header=header, name="a.csv"),
        "--same-as",
        1,
    )
    # Functional was refused here, so that it stays; marketing was refused there.
    assert decision(browser)["purposes"] == {
        **NONE,
        "necessary": True,
        "analytics": True,
    }
    record = records()[-1]
    assert record["event"] == "imported"
    assert record["purposes"]["marketing"] is False
    assert "functional" not in record["purposes"]
    assert Link.objects.filter(user=str(ada.pk)).count() == 2
    assert Preference.objects.get(user=ada).kept_refused == ["marketing"]


def test_an_account_without_a_choice_takes_over_what_still_counts(
    table: Write, ada: Any, parisian: Client
) -> None:
    header = "account,time,functional,analytics,marketing"
    file = table(f"ada,{RECENT},no,yes,no", header=header)
    command(file, "--same-as", 1, "--accounts", "username")
    sign_in(parisian, ada)
    told = decision(parisian)
    assert told["purposes"] == {**NONE, "necessary": True, "analytics": True}
    assert told["choice"]["expires_at"] == "2027-04-30T10:00:00.000Z"


def test_an_import_brings_an_account_nothing_that_it_has_already(
    table: Write, ada: Any
) -> None:
    header = "account,time,functional,analytics,marketing"
    lines = [f"{ada.pk},{RECENT},no,no,no", f"{ada.pk},2026-10-01,no,no,no"]
    assert "1 records imported" in command(table(*lines, header=header))


def test_a_word_that_names_two_accounts_is_a_bad_row(
    table: Write, ada: Any, bob: Any
) -> None:
    for user in (ada, bob):
        user.email = "both@example.org"
        user.save()
    file = table(f"both@example.org,{RECENT},no,no,no")
    with pytest.raises(CommandError, match="1 rows are not understood"):
        command(file, "--accounts", "email")


def test_who_has_no_account_is_a_visitor_of_the_earlier_tool(
    table: Write, ada: Any
) -> None:
    header = "account,time,functional,analytics,marketing"
    file = table(f"99999,{RECENT},,yes,", f"x,{RECENT},,yes,", header=header)
    command(file, "--same-as", 1)
    assert set(Link.objects.values_list("user", flat=True)) == {""}
    assert Link.objects.values("visitor").distinct().count() == 2


ONETRUST = "Receipt ID,Identifier,Purpose Name,Transaction Type,Interaction Date,Test"


def test_onetrusts_transactions_of_one_receipt_are_one_answer(table: Write) -> None:
    lines = [
        f"r1,u1,Performance,CONFIRMED,{RECENT},false",
        f"r1,u1,Targeting,NOTGIVEN,{RECENT},false",
        f"r1,u1,Social,CONFIRMED,{RECENT},false",
        f"r2,u2,Performance,IMPLICIT,{RECENT},false",
        f"r3,u3,Targeting,HARD_OPT_OUT,{RECENT},false",
        f"r4,u4,Targeting,HARD_OPT_OUT,{RECENT},true",
    ]
    maps = ("--map", "analytics=Performance", "--map", "marketing=Targeting,Social")
    told = command(
        table(*lines, header=ONETRUST), *maps, "--same-as", 1, source="onetrust"
    )
    assert "6 rows, 4 answers: 2 of which nothing counts" in told
    assert "1 rows are called tests" in told
    first, second = sorted((r["purposes"] for r in records()), key=len)
    assert first == {"marketing": False}
    assert second == {"analytics": True, "marketing": False}


def test_names_that_no_purpose_stands_for_are_told(table: Write) -> None:
    file = table(f"r1,u1,Newsletter,CONFIRMED,{RECENT},", header=ONETRUST)
    told = command(file, "--map", "analytics=Performance", source="onetrust")
    assert "No purpose stands for: Newsletter." in told
    assert records() == []


def test_osanos_records_are_read_by_its_categories(table: Write) -> None:
    header = "Consent ID,Timestamp,ESSENTIAL,ANALYTICS,MARKETING,PERSONALIZATION"
    file = table(f"c1,{RECENT},ACCEPT,ACCEPT,DENY,DENY", header=header)
    command(file, "--same-as", 1, source="osano")
    (record,) = records()
    assert record["purposes"] == {**NONE, "analytics": True}


def test_a_table_as_a_spreadsheet_writes_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    text = f'visitor,time,analytics,remark\r\n"a",{RECENT},no,"two\r\nlines"\r\n\r\n'
    path.write_bytes(text.encode("utf-8-sig"))
    assert "1 records imported" in command(path)
    assert acts("imported")[0]["detail"]["lines"] == [1, 3]


def test_memory_does_not_grow_with_the_table(small: None, table: Write) -> None:
    """No more answers are read ahead than one transaction takes."""
    path = table(*(f"v{n},{RECENT},no,no,no" for n in range(50)))
    file = TableFile(path, source=Source.CSV, wishes=Wishes())
    read = file.groups(now=NOON, on_bad=lambda _bad: None)
    assert next(read).last == 2
    assert sum(1 for _ in read) == 49


@pytest.mark.django_db(transaction=True)
def test_a_log_with_an_import_verifies_and_gives_evidence(
    table: Write, site: Site, ada: Any, tmp_path: Path
) -> None:
    header = "account,visitor,time,functional,analytics,marketing"
    lines = [f"{ada.pk},,{RECENT},no,yes,no", f",old-id,{RECENT},yes,yes,yes"]
    lines += [f",v{n},{RECENT},no,no,no" for n in range(20)]
    command(table(*lines, header=header), "--same-as", 1)
    call_command("seal_ledger")
    call_command("verify_ledger")
    (old,) = command("--who", "old-id").split()
    for number, who in enumerate((("--visitor", old), ("--user", "ada"))):
        out = tmp_path / f"{number}.zip"
        call_command("evidence", *who, "--out", str(out))
        assert out.exists()
    call_command("erase_visitor", "--visitor", old, "--yes")
    call_command("seal_ledger")
    call_command("verify_ledger")


def test_retention_drops_an_import_that_is_over(table: Write) -> None:
    command(table(f"a,{RECENT},,yes,"), "--same-as", 1)
    with time_machine.travel(NOON + timedelta(days=180 + 1200), tick=False):
        call_command("prune_ledger")
    assert records() == []
