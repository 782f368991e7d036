"""Most specific first, unknown strictest, and other codes for the same place."""

from datetime import date

import pycountry
import pytest

from consent.core.jurisdictions import Location, Rule, rule_for
from consent.core.scales import Banner, Model, OptOutLink, Parity
from consent.rulebook import load
from consent.rulebook.overrides import at_least_as_strict

BOOK = load()
TODAY = date(2026, 11, 23)


def rule(country: str | None, subdivision: str | None = None) -> Rule:
    location = Location(country, subdivision)
    return rule_for(rules=BOOK.rules, location=location, on=TODAY)


def test_the_unknown_place_is_asked_as_strictly_as_the_eea():
    unknown = BOOK.unknown.rule
    assert unknown.models == tuple((p, Model.OPT_IN) for p, _ in unknown.models)
    assert unknown.banner is Banner.OPT_IN
    assert unknown.parity is Parity.REQUIRED
    assert unknown.gpc_binding
    assert (unknown.grant_days, unknown.grant_limit, unknown.gap_days) == (180,) * 3
    assert not unknown.exemptions


@pytest.mark.parametrize(
    "code", [None, "EU", "AP", "A1", "A2", "O1", "T1", "XX", "ZZ", "QQ", "", "fr", "*"]
)
def test_what_is_no_place_of_the_book_is_unknown(code):
    assert rule(code) == BOOK.unknown.rule


@pytest.mark.parametrize(
    "place", sorted({row.place for row in BOOK.rows if not row.verified})
)
def test_an_unverified_row_is_served_as_unknown(place):
    assert rule(place) == BOOK.unknown.rule
    assert BOOK.row(place, TODAY).verified is False


def test_there_are_fourteen_unverified_places():
    assert len({row.place for row in BOOK.rows if not row.verified}) == 14


def test_the_united_states_without_a_state_have_the_duties_of_california():
    found = rule("US")
    california = rule("US", "US-CA")
    assert at_least_as_strict(found, california)
    assert found.model is Model.OPT_OUT
    assert found.banner is Banner.NONE
    assert found.gpc_binding
    assert found.signal_display
    assert found.opt_out_link is OptOutLink.LABEL
    assert found.name == "US-*"


def test_a_state_has_its_own_rule():
    assert rule("US", "US-VA").regime == "US_VA_VCDPA"
    assert not rule("US", "US-VA").gpc_binding
    assert rule("US", "US-WY").model is Model.NONE


def test_a_state_that_does_not_exist_is_an_unknown_state():
    assert rule("US", "US-ZZ") == rule("US")


def test_canada_without_a_province_is_asked_as_quebec():
    found = rule("CA")
    assert found.model is Model.OPT_IN
    assert found.banner is Banner.OPT_IN
    assert at_least_as_strict(found, rule("CA", "CA-QC"))


@pytest.mark.parametrize("province", ["CA-ON", "CA-NU", "CA-MB"])
def test_a_province_without_an_act_has_the_federal_rule(province):
    assert rule("CA", province).regime == "CA_PIPEDA"
    assert rule("CA", province).banner is Banner.NOTICE
    assert BOOK.row(province, TODAY).place == "CA"


@pytest.mark.parametrize(
    ("alias", "place"),
    [
        ("UK", "GB"),
        ("EL", "GR"),
        ("US-PR", "PR"),
        ("US-UM", "UM"),
        ("FR-974", "RE"),
        ("FR-NC", "NC"),
        ("CN-HK", "HK"),
        ("CN-TW", "TW"),
        ("FI-01", "AX"),
        ("NL-BQ2", "BQ"),
        ("NO-21", "SJ"),
    ],
)
def test_another_code_for_a_place_has_its_rule(alias, place):
    country = alias.partition("-")[0]
    by_alias = rule(country, alias if "-" in alias else None)
    assert by_alias == rule(place)
    assert BOOK.row(alias, TODAY) is BOOK.row(place, TODAY)


def test_china_without_a_subdivision_has_its_own_rule():
    """Hong Kong, Macao and Taiwan have codes and rows of their own."""
    assert rule("CN").regime == "CN_PIPL"
    assert rule("CN", "CN-GD") == rule("CN")
    assert rule("CN", "CN-HK").regime == "HK_PDPO"
    assert rule("CN").model >= max(rule(c).model for c in ("HK", "MO", "TW"))


def test_places_and_aliases_are_codes_of_iso_3166():
    known = {c.alpha_2 for c in pycountry.countries}
    known |= {s.code for s in pycountry.subdivisions}
    claimed = set(BOOK.places()) | {alias.code for alias in BOOK.aliases}
    assert claimed - known == {"UK", "EL", "XK"}


def test_every_country_of_iso_3166_has_a_row():
    assert {c.alpha_2 for c in pycountry.countries} <= set(BOOK.places())


@pytest.mark.parametrize("country", ["US", "CA", "CN"])
def test_the_list_of_subdivisions_is_complete(country):
    listed = {s.code for s in pycountry.subdivisions.get(country_code=country)}
    assert BOOK.subdivisions[country] == listed


@pytest.mark.parametrize(
    ("country", "territories"),
    [
        ("US", "AS GU MP PR UM VI"),
        ("CN", "HK MO TW"),
        ("NL", "AW CW SX BQ1 BQ2 BQ3"),
        ("FR", "971 972 973 974 976 BL MF NC PF PM TF WF"),
        ("FI", "01"),
        ("NO", "21 22"),
    ],
)
def test_every_territory_with_a_country_code_has_its_other_code(country, territories):
    wanted = {f"{country}-{code}" for code in territories.split()}
    assert wanted == {a.code for a in BOOK.aliases if a.code.startswith(f"{country}-")}
    assert wanted <= {s.code for s in pycountry.subdivisions}


def test_a_region_of_a_country_without_regional_rows_has_its_row():
    assert rule("FR", "FR-75C") == rule("FR")
    assert BOOK.row("FR-75C", TODAY) is BOOK.row("FR", TODAY)
