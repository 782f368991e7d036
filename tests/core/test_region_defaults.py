"""Defaults for Google's tags by region: the strictest wherever nothing is known."""

from consent.core.policy import Policy
from consent.core.region_defaults import region_defaults
from consent.core.scales import Model
from tests.core.made import ASK, EXIT, NOTHING, NOW, POLICY, rule

UNKNOWN = rule("*")
RULES = {"FR": ASK, "US": EXIT, "US-CA": EXIT, "AQ": NOTHING, "CA": EXIT, "CA-QC": ASK}


def made(policy: Policy = POLICY) -> dict[tuple[str, ...], set[str]]:
    """The optional signals' words, by regions."""
    found = region_defaults(policy=policy, rules=RULES, unknown=UNKNOWN, now=NOW)
    always = "security_storage"
    return {
        one.regions: {word for name, word in one.signals.items() if name != always}
        for one in found
    }


def test_everywhere_else_is_denied() -> None:
    assert made()[()] == {"denied"}


def test_places_that_get_the_same_stand_together() -> None:
    found = made()
    assert found["AQ", "CA", "US"] == {"granted"}
    assert found["CA-QC", "FR"] == {"denied"}
    assert len(found) == 3


def test_a_part_of_a_country_is_named_only_where_it_differs() -> None:
    named = {code for regions in made() for code in regions}
    assert "CA-QC" in named
    assert "US-CA" not in named


def test_a_site_that_asks_everywhere_is_denied_everywhere() -> None:
    strict = Policy(version=1, hash="sha256:1", minimum=Model.OPT_IN)
    assert set(map(frozenset, made(strict).values())) == {frozenset({"denied"})}


def test_security_is_never_denied() -> None:
    found = region_defaults(policy=POLICY, rules=RULES, unknown=UNKNOWN, now=NOW)
    assert {one.signals["security_storage"] for one in found} == {"granted"}
