"""Tables of answers: headers that lack something, and values that are no answer."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.core.imports import Role, Source, Wishes, row, said, table
from consent.core.purposes import Purpose

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
WORDS = Wishes(names={Purpose.ANALYTICS: ["Performance"], Purpose.MARKETING: ["Ads"]})
ONETRUST = ["Receipt ID", "identifier", "Purpose Name", "transactionType", "test"]
ONETRUST += ["INTERACTION_DATE", "country"]


def onetrust(purpose="Performance", kind="CONFIRMED", *, test="", time="2026-11-01"):
    cells = ["r1", "someone@example.org", purpose, kind, test, time, "FR"]
    return row(of_onetrust(), cells, now=NOW)


def of_onetrust():
    return table(source=Source.ONETRUST, header=ONETRUST, wishes=WORDS)


def own(*cells, header=("visitor", "time", "functional", "analytics", "marketing")):
    of = table(source=Source.CSV, header=list(header), wishes=Wishes())
    return said([row(of, list(cells), now=NOW)], of=of)


def osano(**cells):
    header = ["Consent ID", "Timestamp", "ANALYTICS", "MARKETING", "OPT_OUT"]
    of = table(source=Source.OSANO, header=header, wishes=Wishes())
    values = [cells.get(name.lower(), "") for name in header[2:]]
    return said([row(of, ["c1", "2026-11-01T10:00:00Z", *values], now=NOW)], of=of)


def test_a_header_is_known_by_its_letters_in_any_case_and_order():
    of = of_onetrust()
    assert of.roles == {
        Role.WHO: 1,
        Role.TIME: 5,
        Role.PURPOSE: 2,
        Role.ANSWER: 3,
        Role.RECEIPT: 0,
        Role.TEST: 4,
    }


def test_a_column_of_another_name_can_be_named():
    wishes = Wishes(names=WORDS.names, columns={Role.TIME: "When", Role.WHO: "Person"})
    header = ["Person", "purpose", "transaction type", "when"]
    assert table(source=Source.ONETRUST, header=header, wishes=wishes).roles == {
        Role.WHO: 0,
        Role.TIME: 3,
        Role.PURPOSE: 1,
        Role.ANSWER: 2,
    }


@pytest.mark.parametrize(
    ("source", "header", "wishes", "sentence"),
    [
        (Source.ONETRUST, ONETRUST[1:4], WORDS, "interactiondate or"),
        (Source.ONETRUST, ONETRUST, Wishes(), "--map"),
        (Source.ONETRUST, [*ONETRUST, "Test"], WORDS, "there twice"),
        (Source.CSV, ["visitor", "time"], Wishes(), "no column with answers"),
        (Source.CSV, ["time", "analytics"], Wishes(), "visitor or account"),
        (Source.CSV, ["visitor", "time", "analytics"], WORDS, "Performance|Ads"),
        (Source.OSANO, ["ANALYTICS"], Wishes(), "consentid or"),
        (
            Source.CSV,
            ["visitor", "time", "analytics"],
            Wishes(columns={Role.TEST: "x"}),
            "has no test",
        ),
    ],
)
def test_what_a_header_lacks_is_named(source, header, wishes, sentence):
    with pytest.raises(ValueError, match=sentence):
        table(source=source, header=header, wishes=wishes)


@pytest.mark.parametrize(
    ("kind", "answers"),
    [
        ("CONFIRMED", {"Performance": True}),
        ("Opt_In", {"Performance": True}),
        ("NOTGIVEN", {"Performance": False}),
        ("Not Given", {"Performance": False}),
        ("WITHDRAWN", {"Performance": False}),
        ("HARD_OPT_OUT", {"Performance": False}),
        ("IMPLICIT", {}),
        ("NO_OPT_OUT", {}),
        ("EXTEND", {}),
        ("EXPIRED", {}),
        ("PENDING", {}),
    ],
)
def test_only_an_explicit_transaction_is_an_answer(kind, answers):
    assert onetrust(kind=kind).answers == answers


def test_of_two_answers_to_the_same_the_refusal_holds():
    rows = [onetrust(kind="WITHDRAWN"), onetrust(), onetrust("Ads")]
    assert said(rows, of=of_onetrust()) == {
        Purpose.ANALYTICS: False,
        Purpose.MARKETING: True,
    }


def test_a_test_does_not_count():
    assert onetrust(test="true").counts is False
    assert onetrust(test="False").counts is True


def test_a_column_for_each_purpose_says_yes_no_or_nothing():
    assert own("v", "2026-11-01", "yes", "NO", "") == {
        Purpose.FUNCTIONAL: True,
        Purpose.ANALYTICS: False,
    }


def test_whoever_opted_out_said_no_to_marketing_and_who_did_not_said_nothing():
    assert osano(opt_out="ACCEPT") == {Purpose.MARKETING: False}
    both = {"opt_out": "ACCEPT", "marketing": "ACCEPT", "analytics": "ACCEPT"}
    assert osano(**both) == {Purpose.ANALYTICS: True, Purpose.MARKETING: False}
    assert osano(opt_out="DENY", analytics="DENY") == {Purpose.ANALYTICS: False}


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        (("v", "2026-11-01", "yes", "no"), "4 cells where the header has 5"),
        (("v", "2026-11-01", "maybe", "", ""), "'maybe' is no answer"),
        (("v", "2026-11-01", "-", "", ""), "'-' is no answer"),
        (("v", "yesterday", "no", "", ""), "no time"),
        (("v", "1999-01-01", "no", "", ""), "no time"),
        (("v", "2026-12-01", "no", "", ""), "not come yet"),
        (("", "2026-11-01", "no", "", ""), "names nobody"),
        (("v" * 255, "2026-11-01", "no", "", ""), "too long"),
    ],
)
def test_a_value_that_is_not_understood_is_told_in_a_sentence(cells, sentence):
    with pytest.raises(ValueError, match=sentence):
        own(*cells)


def test_a_time_without_a_zone_is_utc_and_none_at_all_is_allowed():
    assert onetrust(time="2026-11-01T10:00:00.000").time == datetime(
        2026, 11, 1, 10, tzinfo=UTC
    )
    assert onetrust(time="2026-11-01T10:00:00+02:00").time.hour == 8
    assert onetrust(time="").time is None


CELLS = st.lists(
    st.text(max_size=12)
    | st.sampled_from(["yes", "ACCEPT", "CONFIRMED", "no", "2026-11-01", "Ads"]),
    max_size=8,
)


@given(source=st.sampled_from(Source), header=CELLS, cells=CELLS)
def test_no_cells_raise_anything_but_a_value_error(source, header, cells):
    with suppress(ValueError):
        row(table(source=source, header=header, wishes=WORDS), cells, now=NOW)


@given(cells=st.lists(st.text(max_size=9), min_size=7, max_size=7))
def test_no_grant_comes_of_garbage(cells):
    with suppress(ValueError):
        found = row(of_onetrust(), cells, now=NOW)
        assert True not in found.answers.values()


@given(word=st.text(max_size=12))
def test_only_words_of_the_list_are_a_yes(word):
    with suppress(ValueError):
        if own("v", "2026-11-01", "", word, "").get(Purpose.ANALYTICS):
            letters = "".join(c for c in word.casefold() if c.isalnum())
            assert letters in {"yes", "true", "1", "granted"}
