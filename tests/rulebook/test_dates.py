"""Rules change on their day, with all their fields, and without an edit of code."""

from datetime import UTC, date, datetime, timedelta

import pytest

from consent.core.days import local_days
from consent.core.jurisdictions import Location, Rule, rule_for
from consent.core.scales import Banner, Exemption, Model, OptOutLink
from consent.rulebook import load

BOOK = load()


def rule(place: str, on: str) -> Rule:
    country, _, part = place.partition("-")
    location = Location(country, place if part else None)
    return rule_for(rules=BOOK.rules, location=location, on=date.fromisoformat(on))


def test_chile_is_told_nothing_until_november_2026():
    old = rule("CL", "2026-11-30")
    assert (old.regime, old.model, old.banner) == (
        "CL_19628",
        Model.NOTICE,
        Banner.NONE,
    )
    assert (old.grant_days, old.grant_limit, old.gap_days) == (365, 365, 365)


def test_chile_asks_from_december_2026():
    new = rule("CL", "2026-12-01")
    assert (new.regime, new.model, new.banner) == (
        "CL_21719",
        Model.OPT_IN,
        Banner.OPT_IN,
    )
    assert (new.grant_days, new.grant_limit, new.gap_days) == (180, 180, 180)
    assert "21.719" in new.law
    assert new.confidence.label == "medium"
    assert not new.exemptions
    assert not new.gpc_binding


@pytest.mark.parametrize(
    ("place", "begins", "model", "regime"),
    [
        ("CL", "2026-12-01", Model.OPT_IN, "CL_21719"),
        ("IN", "2027-05-13", Model.OPT_IN, "IN_DPDP"),
        ("PY", "2027-11-27", Model.OPT_IN, "PY_7593"),
        ("US-OK", "2027-01-01", Model.OPT_OUT, "US_OK_SB546"),
        ("US-LA", "2027-01-01", Model.OPT_OUT, "US_LA_LDPA"),
        ("US-AL", "2027-05-01", Model.OPT_OUT, "US_AL_PDPA"),
        ("US-VT", "2028-01-01", Model.OPT_OUT, "US_VT_DPOSA"),
    ],
)
def test_a_law_begins_on_its_day_and_not_before(place, begins, model, regime):
    eve = (date.fromisoformat(begins) - timedelta(days=1)).isoformat()
    assert rule(place, eve).regime != regime
    assert rule(place, eve).model < model
    assert rule(place, begins).regime == regime
    assert rule(place, begins).model is model


@pytest.mark.parametrize(
    ("place", "begins", "binding", "override"),
    [
        ("US-OK", "2027-01-01", False, True),
        ("US-LA", "2027-01-01", True, True),
        ("US-AL", "2027-05-01", False, True),
        ("US-VT", "2028-01-01", True, False),
    ],
)
def test_new_state_laws_have_their_signal_and_their_link(
    place, begins, binding, override
):
    new = rule(place, begins)
    assert (new.gpc_binding, new.gpc_override) == (binding, override)
    assert new.opt_out_link is OptOutLink.METHOD
    assert (new.banner, new.gap_days) == (Banner.NONE, 365)


@pytest.mark.parametrize("on", ["2026-11-23", "2027-05-06"])
def test_bangladesh_is_unknown_until_someone_has_reviewed_it(on):
    assert rule("BD", on) == BOOK.unknown.rule
    assert BOOK.row("BD", date.fromisoformat(on)).place == "BD"


def test_britain_exempts_own_statistics_and_appearance_since_february_2026():
    assert rule("GB", "2026-02-04").exemptions == frozenset()
    assert rule("GB", "2026-02-05").exemptions == {
        Exemption.OWN_STATISTICS,
        Exemption.APPEARANCE,
    }
    assert rule("GB", "2026-02-05").model is Model.OPT_IN


def test_california_shows_the_state_of_the_signal_since_2026():
    assert not rule("US-CA", "2025-12-31").signal_display
    assert rule("US-CA", "2026-01-01").signal_display
    assert rule("US-CA", "2020-08-13").gpc_binding is False
    assert rule("US-CA", "2020-08-14").gpc_binding is True


def test_before_its_first_law_a_place_is_unknown():
    assert rule("CH", "2025-01-21") == BOOK.unknown.rule
    assert rule("CH", "2025-01-22").regime == "CH_TCA_FADP"


def test_a_law_begins_when_the_first_clock_of_the_place_strikes():
    """Midnight in Punta Arenas is 03:00 UTC; the UTC date is already December."""
    now = datetime(2026, 12, 1, 0, 30, tzinfo=UTC)
    days = BOOK.days(Location("CL"), now=now)
    assert days == {date(2026, 11, 30), date(2026, 12, 1)}
    found = rule_for(rules=BOOK.rules, location=Location("CL"), on=days)
    assert found.model is Model.OPT_IN


def test_a_law_begins_early_where_clocks_are_ahead():
    now = datetime(2027, 5, 12, 19, 0, tzinfo=UTC)
    found = rule_for(
        rules=BOOK.rules, location=Location("IN"), on=BOOK.days(Location("IN"), now=now)
    )
    assert found.model is Model.OPT_IN


@pytest.mark.parametrize(
    ("country", "offsets"),
    [("JP", (540, 540)), ("FR", (60, 120)), ("US", (-600, -240)), ("XK", (60, 120))],
)
def test_offsets_span_all_clocks_of_a_country(country, offsets):
    assert BOOK.offsets[country] == offsets


def test_almost_every_country_has_offsets():
    countries = {place for place in BOOK.places() if "-" not in place}
    assert countries - set(BOOK.offsets) == {"BV", "HM"}


@pytest.mark.parametrize("code", [None, "T1", "BV"])
def test_an_unknown_place_can_have_any_date_on_earth(code):
    early = datetime(2026, 12, 1, 11, 0, tzinfo=UTC)
    late = datetime(2026, 12, 1, 13, 0, tzinfo=UTC)
    first, second, third = (date(2026, 11, 30), date(2026, 12, 1), date(2026, 12, 2))
    assert BOOK.days(Location(code), now=early) == {first, second, third}
    assert BOOK.days(Location(code), now=late) == {second, third}


def test_places_that_disagree_bring_all_their_dates():
    now = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
    location = Location("JP", also=("US-CA",))
    assert BOOK.days(location, now=now) == {date(2026, 11, 30), date(2026, 12, 1)}


def test_local_days_take_any_aware_time():
    tokyo = datetime.fromisoformat("2026-12-01T08:00:00+09:00")
    assert local_days(now=tokyo, offsets=(0, 0)) == {date(2026, 11, 30)}


def test_an_alias_has_the_clocks_of_its_place():
    now = datetime(2026, 12, 1, 12, 30, tzinfo=UTC)
    assert BOOK.days(Location("UK"), now=now) == {date(2026, 12, 1)}


def test_a_territory_under_its_other_code_has_its_own_clocks():
    """Réunion is four hours ahead of UTC, whatever the code it came under."""
    now = datetime(2026, 12, 1, 21, 0, tzinfo=UTC)
    second = date(2026, 12, 2)
    assert second not in BOOK.days(Location("FR"), now=now)
    assert second in BOOK.days(Location("FR", "FR-974"), now=now)
    assert second in BOOK.days(Location("FR", also=("FR-974",)), now=now)
