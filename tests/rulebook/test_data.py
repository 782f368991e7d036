"""The data are read strictly: a slip of the keyboard never becomes law."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from consent.core.canonical import canonical, canonical_hash
from consent.rulebook import RuleBookError, load, problems, read, summary
from consent.rulebook import problems as check
from consent.rulebook.files import DATA
from consent.rulebook.iso import installed_codes
from consent.rulebook.reading import row_from

BOOK = load()
ROW = {
    "regime": "XX_LAW",
    "law": "a law",
    "model": "opt_in",
    "confidence": "low",
    "basis": "statute",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA, tmp_path / "data"))


def edit(folder: Path, stem: str, old: str, new: str) -> None:
    path = folder / f"{stem}.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_shipped_book_has_no_problems():
    assert problems(BOOK) == []


def test_the_book_is_read_once():
    assert load() is load()


def test_a_book_is_shown_by_its_version():
    assert repr(BOOK) == f"<RuleBook {BOOK.version}: {len(BOOK.rows)} rows>"


def test_the_book_is_read_without_django():
    code = (
        "import sys, consent.rulebook as b; b.load().rules;"
        "sys.exit('django' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, cwd=DATA.parents[2]
    )
    assert done.returncode == 0


def test_the_version_is_the_hash_of_the_whole_table():
    assert BOOK.version == canonical_hash(BOOK.document())
    assert BOOK.rules.version == BOOK.version
    assert set(json.loads(BOOK.canonical())["places"]) == set(BOOK.places())


def test_a_word_of_the_research_changes_the_version(folder):
    edit(folder, "europe", "refusing must be as simple", "refusing should be as simple")
    assert read(folder).version != BOOK.version


def test_the_hashed_bytes_are_the_canonical_json_of_the_document():
    assert BOOK.canonical() == canonical(BOOK.document())


def test_silent_fields_have_the_defaults_that_the_documentation_lists():
    row = row_from("XX", "Nowhere", ROW)
    rule = row.rule
    assert (rule.banner.label, rule.grant_days, rule.gap_days) == ("opt_in", 180, 180)
    assert (rule.gpc_binding, rule.gpc_override, rule.signal_display) == (
        False,
        True,
        False,
    )
    assert (rule.parity.label, rule.opt_out_link.label) == ("unspecified", "none")
    assert (row.verified, row.reviewed, rule.no_bottom) == (True, False, False)
    assert row.research.banner_before_tags == "yes"
    assert not row.research.source_read


def test_where_nobody_is_asked_a_grant_lives_a_year():
    rule = row_from("XX", "Nowhere", {**ROW, "model": "notice"}).rule
    assert (rule.banner.label, rule.grant_days, rule.gap_days) == ("none", 365, 365)


def test_a_figure_of_the_authority_only_shortens_the_default_life():
    shorter = row_from("XX", "Nowhere", {**ROW, "grant_limit": 90}).rule
    longer = row_from("XX", "Nowhere", {**ROW, "grant_limit": 730}).rule
    assert (shorter.grant_days, shorter.grant_limit) == (90, 90)
    assert (longer.grant_days, longer.grant_limit, longer.gap_days) == (180, 730, 180)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"modle": "opt_in"}, "unknown modle"),
        ({"model": "opt-in"}, "model must be one of none, notice, opt_out, opt_in"),
        ({"banner": "yes"}, "banner must be one of ask, tell, none"),
        ({"law": " "}, "law must not be empty"),
        ({"law": 3}, "law must be a text"),
        ({"since": "2026"}, "since must be a date"),
        ({"since": 2026}, "since must be a date"),
        ({"gap_days": "180"}, "gap_days must be a whole number"),
        ({"gpc_override": "no"}, "gpc_override must be true or false"),
        ({"grant_days": 200}, "grant_days 200 is above the limit of 180 days"),
        ({"reviewed": {"who": "me"}}, "reviewed: unknown who"),
        ({"also_read": [1]}, "also_read must hold texts"),
        ({"exemptions": [{"kind": "own_statistics"}]}, "conditions must be a text"),
        ({"scoped": [{"data": "health"}]}, "scoped: model must be one of"),
        ({"confidence": "sure"}, "confidence must be one of high, medium, low"),
    ],
)
def test_a_field_that_is_not_understood_is_refused(fields, sentence):
    with pytest.raises(RuleBookError) as refused:
        row_from("XX", "Nowhere", {**ROW, **fields})
    assert sentence in str(refused.value)
    assert str(refused.value).startswith("XX")


@pytest.mark.parametrize("missing", ROW)
def test_a_field_without_default_must_be_stated(missing):
    with pytest.raises(RuleBookError, match=missing):
        row_from("XX", "Nowhere", {k: v for k, v in ROW.items() if k != missing})


@pytest.mark.parametrize(
    ("stem", "old", "new", "sentence"),
    [
        ("europe", 'match = "AT"', 'match = "BE"', "BE: stands twice"),
        ("europe", 'match = "AT"', 'match = "UK"', "UK: stands twice"),
        ("europe", 'name = "Austria"', 'nmae = "Austria"', "AT: name must be a text"),
        ("europe", "[[place]]", "colour = 1\n[[place]]", "europe: unknown colour"),
        ("europe", "since = 2021-11-01", "since = ", "europe.toml cannot be read"),
        ("unknown", "[[place.period]]", "[[place.period]]\nsince = 2026-01-01", "*:"),
        ("offsets", "JP = [540, 540]", "JP = [540]", "JP wants two numbers"),
        ("offsets", "JP = [540, 540]", "JP = [540, 530]", "JP wants two numbers"),
        ("aliases", "[[alias]]", "[[alais]]", "aliases: unknown alais"),
    ],
)
def test_data_that_cannot_be_understood_are_refused(folder, stem, old, new, sentence):
    edit(folder, stem, old, new)
    with pytest.raises(RuleBookError) as refused:
        read(folder)
    assert sentence in str(refused.value)


def test_a_place_without_a_period_is_refused(folder):
    edit(
        folder, "canada", "[[place]]", '[[place]]\nmatch = "QQ"\nname = "Q"\n[[place]]'
    )
    with pytest.raises(RuleBookError, match="QQ: a place needs at least one period"):
        read(folder)


def test_a_missing_file_is_said(folder):
    (folder / "asia.toml").unlink()
    with pytest.raises(RuleBookError, match=r"asia\.toml cannot be read"):
        read(folder)


@pytest.mark.parametrize(
    ("stem", "old", "new", "sentence"),
    [
        ("europe", "until = 2026-02-05", "until = 2026-02-04", "gap or an overlap"),
        ("europe", "until = 2026-02-05", "until = 2026-03-05", "gap or an overlap"),
        ("europe", "until = 2026-02-05", "until = 2001-02-05", "before it begins"),
        (
            "europe",
            "since = 2026-02-05",
            "since = 2026-02-05\nuntil = 2030-01-01",
            "the last period must be open",
        ),
        ("europe", 'banner = "ask"', 'banner = "tell"', "the banner does not ask"),
        ("asia", 'banner = "none"', 'banner = "ask"', "no purpose is opt_in"),
        ("europe", '"EU_GDPR_EPD"', '"eu"', "no regime code"),
        ("europe", 'by = ""', 'by = "A Lawyer"', "both a name and a date"),
        (
            "europe",
            'DSB cookie FAQ"\nmodel = "opt_in"',
            'DSB cookie FAQ"\nmodel = "notice"',
            "differ in model",
        ),
        ("europe", 'match = "AT"', 'match = "QQ"', "QQ: is not in ISO 3166"),
        ("europe", 'match = "AT"', 'match = "QQ"', "AT: a country of ISO 3166-1"),
        ("europe", "iso = false\n", "", "XK: is not in ISO 3166"),
        ("aliases", 'of = "GB"', 'of = "QQ"', "the place QQ it stands for has no row"),
        ("unknown", 'match = "T1"', 'match = "FR"', "must not be a place"),
        ("subdivisions", '"US-AK", ', "", "US-AK: not on the list"),
        ("subdivisions", '"US-AK", ', "", "its list of subdivisions is not that of"),
    ],
)
def test_a_mistake_in_the_data_is_a_problem(folder, stem, old, new, sentence):
    edit(folder, stem, old, new)
    found = problems(read(folder))
    assert any(sentence in problem for problem in found), found


def test_codes_are_not_checked_without_a_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "pycountry", None)
    assert installed_codes() is None
    assert check(replace(BOOK, subdivisions={**BOOK.subdivisions, "US": frozenset()}))


def test_a_reviewed_row_names_its_reviewer(folder):
    edit(
        folder,
        "europe",
        'reviewed = { by = "", on = "" }',
        'reviewed = { by = "A. Lawyer", on = 2027-01-15 }',
    )
    book = read(folder)
    (row,) = [row for row in book.rows if row.reviewed]
    assert (row.reviewed_by, row.reviewed_on) == ("A. Lawyer", date(2027, 1, 15))
    assert problems(book) == []
    assert summary(book).unreviewed == summary(BOOK).unreviewed - 1


def test_the_summary_counts_every_row():
    counted = summary(BOOK)
    assert counted.places == 305
    assert counted.periods == len(BOOK.rows) + 1
    assert sum(counted.models.values()) == counted.periods
    assert sum(counted.confidences.values()) == counted.periods
    assert counted.low == counted.confidences["low"]
    assert "  not reviewed" in "\n".join(counted.lines())
