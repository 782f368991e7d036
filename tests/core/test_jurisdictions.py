"""Finding a rule, and combining rules: rules 1, 2, 4 and 10."""

from datetime import date

from hypothesis import given

from consent.core.jurisdictions import Location, Period, Rules, combine, rule_for
from consent.core.purposes import OPTIONAL
from consent.core.scales import Model
from tests.core.made import RULES, rule

TODAY = date(2026, 11, 23)
UNKNOWN = rule("*")
BOOK = Rules(
    version="1",
    periods={
        "FR": (Period(rule=rule("FR")),),
        "GB": (Period(rule=rule("GB")),),
        "JP": (Period(rule=rule("JP", Model.NOTICE)),),
        "CL": (
            Period(rule=rule("CL", Model.NOTICE), until=date(2026, 12, 1)),
            Period(rule=rule("CL", Model.OPT_IN), since=date(2026, 12, 1)),
        ),
        "SY": (Period(rule=rule("SY", Model.NOTICE), verified=False),),
        "CA": (Period(rule=rule("CA", Model.OPT_OUT)),),
        "CA-QC": (Period(rule=rule("CA-QC"), since=date(2023, 9, 22)),),
        "PR": (Period(rule=rule("PR", Model.NOTICE)),),
        "US": (Period(rule=rule("US", Model.OPT_OUT)),),
    },
    unknown=UNKNOWN,
    aliases={"UK": "GB", "US-PR": "PR"},
    subdivisions={"CA": frozenset({"CA-ON", "CA-QC"})},
)


def found(country=None, subdivision=None, *, on=TODAY, **more):
    location = Location(country=country, subdivision=subdivision, **more)
    return rule_for(rules=BOOK, location=location, on=on)


def test_the_most_specific_row_wins():
    assert found("CA", "CA-QC").name == "CA-QC"


def test_a_subdivision_without_a_row_has_its_countrys_rule():
    assert found("CA", "CA-ON").model is Model.OPT_OUT


def test_a_country_with_an_unknown_subdivision_is_asked_as_strictly_as_any_part():
    assert found("CA").name == "CA-*"
    assert found("CA").model is Model.OPT_IN
    assert found("CA", "CA-ZZ").model is Model.OPT_IN


def test_a_part_whose_law_had_not_begun_does_not_count():
    assert found("CA", on=date(2023, 9, 21)).model is Model.OPT_OUT


def test_a_subdivision_of_another_country_is_not_believed():
    assert found("CA", "US-CA") == found("CA")


def test_a_bare_code_beside_a_country_is_not_another_country():
    assert found("US", "CA") == found("US")
    assert found("US", "PR") == found("US")
    assert found("CA", "QC") == found("CA")


def test_a_territory_of_another_country_is_not_believed():
    assert found("CA", "US-PR") == found("CA")


def test_a_code_outside_the_rule_book_is_unknown_never_no_banner():
    for code in ("EU", "T1", "XX", "ZZ", "A1", "QQ"):
        assert found(code) == UNKNOWN


def test_nothing_known_is_the_strictest():
    assert found() == UNKNOWN


def test_another_name_for_a_country_finds_its_row():
    assert found("UK").name == "GB"


def test_a_territory_with_a_code_of_its_own_is_found_by_its_subdivision():
    assert found("US", "US-PR").name == "PR"


def test_an_unverified_row_is_served_as_unknown():
    assert found("SY") == UNKNOWN


def test_a_rule_changes_on_its_day():
    assert found("CL", on=date(2026, 11, 30)).model is Model.NOTICE
    assert found("CL", on=date(2026, 12, 1)).model is Model.OPT_IN


def test_two_dates_at_once_are_reckoned_strictly():
    days = frozenset({date(2026, 11, 30), date(2026, 12, 1)})
    assert found("CL", on=days).model is Model.OPT_IN
    assert found("CL", on=days).name == "CL"


def test_a_hidden_place_is_combined_with_the_unknown_one():
    hidden = found("JP", anonymous=True)
    assert hidden.name == "*+JP"
    assert hidden.model is Model.OPT_IN


def test_sources_that_disagree_give_the_stricter_place():
    assert found("JP", also=("FR",)).name == "FR+JP"
    assert found("JP", also=("FR",)).model is Model.OPT_IN


@given(RULES, RULES)
def test_combining_is_commutative(a, b):
    assert combine(a, b) == combine(b, a)


@given(RULES, RULES, RULES)
def test_combining_is_associative(a, b, c):
    assert combine(combine(a, b), c) == combine(a, combine(b, c))


@given(RULES)
def test_combining_a_rule_with_itself_changes_nothing(a):
    assert combine(a, a) == a


@given(RULES, RULES)
def test_a_combination_is_at_least_as_strict_as_each_part(a, b):
    both = combine(a, b)
    for part in (a, b):
        assert all(both.model_for(p) >= part.model_for(p) for p in OPTIONAL)
        assert both.banner >= part.banner
        assert both.grant_days <= part.grant_days
        assert both.grant_limit <= part.grant_limit
        assert both.gap_days >= part.gap_days
        assert both.exemptions <= part.exemptions
        assert both.gpc_binding >= part.gpc_binding
        assert both.gpc_override <= part.gpc_override
        assert both.parity >= part.parity
        assert both.opt_out_link >= part.opt_out_link
        assert both.confidence >= part.confidence
