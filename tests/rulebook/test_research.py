"""Every row of the legal research is in the rule book, unchanged (324 of them)."""

import json
from datetime import date
from pathlib import Path

import pytest

from consent.core.jurisdictions import UNKNOWN_PLACE
from consent.core.scales import Confidence, Exemption, Model, OptOutLink, Parity
from consent.rulebook import load

BOOK = load()
CHECKED = date(2026, 11, 23)
EXPECTED = json.loads(Path(__file__).with_name("expected_rows.json").read_text())
PSEUDO = {pseudo.code for pseudo in BOOK.pseudo}
OWN_STATISTICS_AS_IN_FRANCE = {
    *("FR", "GP", "GF", "MQ", "RE", "YT", "MF"),
    *("BL", "PM", "WF", "PF", "NC", "TF"),
}


def test_the_research_has_324_rows():
    assert len(EXPECTED) == 324


def test_every_place_of_the_book_comes_from_the_research():
    assert set(BOOK.places()) <= set(EXPECTED)


@pytest.mark.parametrize("place", EXPECTED)
def test_a_row_says_what_the_research_says(place):
    wanted = EXPECTED[place]
    row = BOOK.row(place, CHECKED)
    first = (BOOK.periods_of(place) or (BOOK.unknown,))[0]
    since = first.since.isoformat() if first.since else None
    assert row.model.label == wanted["model"]
    assert row.rule.model is row.model, "a purpose is stricter than the research"
    assert row.rule.confidence.label == wanted["confidence"]
    assert row.rule.gpc_binding == (wanted["gpc"] == "honour")
    assert row.figure == wanted["max_age_days"]
    assert since == wanted["since"]
    assert row.verified == (wanted.get("status") != "unverified")


@pytest.mark.parametrize("place", EXPECTED)
def test_duties_of_the_research_are_kept(place):
    wanted = EXPECTED[place]
    row = BOOK.row(place, CHECKED)
    if place not in {"UK", "EL"}:
        parity = Parity[wanted.get("reject_parity", "unspecified").upper()]
        assert row.rule.parity is parity
    if place != "US":
        link = OptOutLink[wanted.get("optout_link", "none").upper()]
        assert row.rule.opt_out_link is link
    assert row.rule.gap_days >= wanted.get("min_reask_days", 0)


@pytest.mark.parametrize(
    "place", [place for place, row in EXPECTED.items() if row.get("gpc_since")]
)
def test_the_signal_binds_from_its_own_day(place):
    wanted = EXPECTED[place]["gpc_since"]
    binding = [row for row in BOOK.periods_of(place) if row.rule.gpc_binding]
    assert binding[0].since == date.fromisoformat(wanted)
    assert binding == list(BOOK.periods_of(place))[-len(binding) :]


@pytest.mark.parametrize("place", [UNKNOWN_PLACE, *sorted(PSEUDO)])
def test_pseudo_codes_have_the_unknown_row(place):
    assert BOOK.row(place, CHECKED) is BOOK.unknown


def test_only_six_laws_exempt_a_service():
    offering = {
        row.place: row.rule.exemptions
        for row in BOOK.rows
        if row.offers and row.period.covers(CHECKED)
    }
    own = frozenset({Exemption.OWN_STATISTICS})
    places = OWN_STATISTICS_AS_IN_FRANCE | {"NL", "IT", "ES", "CH", "BR"}
    assert offering == {
        **dict.fromkeys(places, own),
        "GB": own | {Exemption.APPEARANCE},
    }


def test_every_exemption_names_its_conditions_and_its_source():
    offers = [offer for row in BOOK.rows for offer in row.offers]
    assert len(offers) >= 19
    assert all(offer.conditions and offer.source for offer in offers)


@pytest.mark.parametrize("place", ["GR", "LU", "LI"])
def test_a_doubtful_exemption_is_not_offered_but_told(place):
    row = BOOK.row(place, CHECKED)
    assert not row.rule.exemptions
    assert "no exemption is offered" in row.research.note.replace(
        "none", "no exemption"
    )


def test_visitors_are_told_on_the_page_only_where_the_research_wants_it():
    told = {
        row.place
        for row in BOOK.rows
        if row.rule.banner.label == "notice" and row.period.covers(CHECKED)
    }
    assert told == {"MX", "CA", "CA-AB", "CA-BC", "IL"}


def test_every_opt_in_row_asks_and_no_other_does():
    for row in BOOK.rows:
        assert (row.rule.banner.label == "opt_in") == (row.model is Model.OPT_IN)


@pytest.mark.parametrize(
    ("place", "grant", "limit", "gap", "tracer"),
    [
        ("DE", 180, 180, 180, None),
        ("FR", 180, 180, 180, 395),
        ("NC", 180, 180, 180, 395),
        ("CZ", 180, 365, 180, None),
        ("ES", 180, 730, 180, None),
        ("IT", 180, 180, 180, None),
        ("AD", 180, 180, 180, 760),
        ("JP", 365, 365, 365, None),
        ("US-VA", 365, 365, 365, None),
        ("*", 180, 180, 180, None),
    ],
)
def test_the_four_clocks_of_a_row(place, grant, limit, gap, tracer):
    rule = BOOK.row(place, CHECKED).rule
    clocks = (rule.grant_days, rule.grant_limit, rule.gap_days, rule.tracer_days)
    assert clocks == (grant, limit, gap, tracer)


def test_nobody_is_asked_again_for_a_year_after_an_opt_out_in_the_united_states():
    rows = [
        row
        for row in BOOK.rows
        if row.place.startswith("US") and row.model is Model.OPT_OUT
    ]
    assert len(rows) >= 26
    assert {row.rule.gap_days for row in rows} == {365}


def test_a_banner_at_the_bottom_only_is_not_enough_in_nigeria_alone():
    assert [row.place for row in BOOK.rows if row.rule.no_bottom] == ["NG"]


def test_what_is_only_stricter_for_some_data_is_told_not_computed():
    washington = BOOK.row("US-WA", CHECKED)
    assert washington.scoped[0].data == "consumer_health"
    assert washington.rule.model is Model.NONE


def test_low_confidence_is_said():
    assert BOOK.row("XK", CHECKED).rule.confidence is Confidence.LOW
