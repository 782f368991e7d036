"""Stricter is a combination, field by field, over all rules there are (rule 10)."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from consent.core.jurisdictions import Location, Rule, combine, rule_for
from consent.rulebook import load

BOOK = load()
TABLE = BOOK.rules
RULES = st.sampled_from([*(row.rule for row in BOOK.rows), BOOK.unknown.rule])
PLACES = st.sampled_from([None, "XX", *BOOK.places()])
DAYS = st.dates(date(2015, 1, 1), date(2030, 1, 1))


def stricter_in_every_field(rule: Rule, than: Rule) -> bool:
    """Said again here, so that the product's own comparison is not its judge."""
    return all(
        (
            all(rule.model_for(p) >= than.model_for(p) for p, _ in than.models),
            rule.banner >= than.banner,
            rule.grant_days <= than.grant_days,
            rule.grant_limit <= than.grant_limit,
            rule.gap_days >= than.gap_days,
            than.tracer_days is None
            or (rule.tracer_days or than.tracer_days + 1) <= than.tracer_days,
            rule.gpc_binding or not than.gpc_binding,
            than.gpc_override or not rule.gpc_override,
            rule.signal_display or not than.signal_display,
            rule.parity >= than.parity,
            rule.opt_out_link >= than.opt_out_link,
            rule.no_bottom or not than.no_bottom,
            rule.exemptions <= than.exemptions,
        )
    )


@given(RULES, RULES)
def test_the_order_of_two_rules_does_not_matter(a, b):
    assert combine(a, b) == combine(b, a)


@given(RULES, RULES, RULES)
def test_the_grouping_of_three_rules_does_not_matter(a, b, c):
    assert combine(combine(a, b), c) == combine(a, combine(b, c))


@given(RULES)
def test_a_rule_combined_with_itself_is_itself(rule):
    assert combine(rule, rule) == rule


@given(RULES, RULES)
def test_a_combination_is_at_least_as_strict_as_each(a, b):
    joined = combine(a, b)
    assert stricter_in_every_field(joined, a)
    assert stricter_in_every_field(joined, b)


@given(PLACES, PLACES, DAYS)
def test_a_second_place_only_adds_protection(place, other, day):
    country = place and place.partition("-")[0]
    part = place if place and "-" in place else None
    alone = Location(country, part)
    both = Location(country, part, also=(other,) if other else ())
    one = rule_for(rules=TABLE, location=alone, on=day)
    two = rule_for(rules=TABLE, location=both, on=day)
    assert stricter_in_every_field(two, one)


@given(PLACES, DAYS, DAYS)
def test_two_dates_are_at_least_as_strict_as_each(place, day, other):
    country = place and place.partition("-")[0]
    location = Location(country, place if place and "-" in place else None)
    both = rule_for(rules=TABLE, location=location, on=frozenset({day, other}))
    one = rule_for(rules=TABLE, location=location, on=day)
    assert stricter_in_every_field(both, one)
