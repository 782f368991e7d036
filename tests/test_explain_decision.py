"""`manage.py explain_decision`: why a visitor gets this banner, as text and as JSON."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from consent import publication
from consent.models import Site
from tests.test_forty_visitors import BY_ADDRESS
from tests.visits import decision, rows


def explain(*words: str) -> str:
    out = StringIO()
    call_command("explain_decision", *words, stdout=out)
    return out.getvalue()


def as_json(*words: str) -> dict[str, Any]:
    return json.loads(explain(*words, "--json"))


def test_chile_is_left_alone_until_its_law_begins_and_asked_from_then_on(
    site: Site,
) -> None:
    eve, day = (
        as_json("--country", "CL", "--on", on) for on in ("2026-11-30", "2026-12-01")
    )
    assert eve["decision"]["model"] == "notice"
    assert eve["decision"]["banner"] == "none"
    assert eve["decision"]["purposes"]["analytics"] is True
    assert day["decision"]["model"] == "opt_in"
    assert day["decision"]["banner"] == "opt_in"
    assert day["decision"]["purposes"] == {
        "necessary": True,
        "functional": False,
        "analytics": False,
        "marketing": False,
    }
    assert eve["rule"]["name"] == day["rule"]["name"] == "CL"
    assert eve["rule"]["grant_days"] == 365
    assert day["rule"]["grant_days"] == 180
    assert eve["rule"]["law"] != day["rule"]["law"]


def test_chile_through_http_turns_strict_where_the_day_has_begun(
    visitor: Any, noon: Any
) -> None:
    santiago = visitor("214.78.120.1", **{"CF-IPCountry": "CL"})
    noon.move_to("2026-11-30T09:00:00Z")
    assert decision(santiago)["banner"] == "none"
    noon.move_to(
        "2026-12-01T00:00:00Z"
    )  # still November in Santiago: strict all the same
    assert decision(santiago)["banner"] == "opt_in"


def test_the_explanation_names_location_rule_law_and_reason(site: Site) -> None:
    text = explain("--ip", "214.78.120.1", "--gpc")
    for words in (
        "US-CA (geoip, GeoIP2-City",
        "US_CA_CCPA",
        "1798.1",
        "applied: gpc",
        "none (not_required)",
        "necessary, functional, analytics",
        "not legal advice",
    ):
        assert words in text


@pytest.mark.parametrize("row", BY_ADDRESS[:20], ids=lambda row: row[0])
def test_the_explanation_agrees_with_the_decision_through_http(
    visitor: Any, noon: Any, row: tuple[Any, ...]
) -> None:
    address = row[1]
    if ":4711" in address or address.startswith("["):
        address = "2a02:cf40::1"
    told = as_json("--ip", address)
    found = decision(visitor(address))
    assert told["rule"]["name"] == found["jurisdiction"]["rule"]
    for name in ("model", "banner", "reason", "purposes", "services", "consent_mode"):
        assert told["decision"][name] == found[name]
    assert told["policy"] == found["policy"]


def test_the_explanation_shows_the_rows_that_were_combined(site: Site) -> None:
    told = as_json("--country", "us")
    assert told["rule"]["name"] == "US-*"
    places = [row["place"] for row in told["rows"]]
    assert {"US", "US-CA", "US-AK"} <= set(places)
    assert "rows of the rule book" in explain("--country", "US")


def test_a_place_nobody_knows_is_explained_as_the_strictest(site: Site) -> None:
    for words in ((), ("--country", "XX"), ("--ip", "garbage"), ("--ip", "10.0.0.1")):
        told = as_json(*words)
        assert told["rule"]["name"] == "*"
        assert told["decision"]["banner"] == "opt_in"


def test_a_row_that_nobody_verified_says_so(site: Site) -> None:
    told = as_json("--country", "BI")
    assert told["rule"]["name"] == "*"
    assert told["decision"]["banner"] == "opt_in"


def test_do_not_track_is_explained(site: Site) -> None:
    told = as_json("--country", "FR", "--dnt")
    assert told["decision"]["signals_applied"] == ["dnt"]
    assert told["decision"]["signal_status"] == "honored"


def test_explaining_writes_nothing(site: Site) -> None:
    before = rows()
    explain("--ip", "2a02:cfc0::1")
    assert rows() == before


def test_the_sites_own_overrides_are_explained(site: Site, parisian: Client) -> None:
    site.rule_overrides = [
        {"place": "JP", "model": "opt_in", "by": "the site", "reason": "by choice"}
    ]
    site.save()
    publication.forget()
    told = as_json("--country", "JP")
    assert told["decision"]["banner"] == "opt_in"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--on", "tomorrow"), "YYYY-MM-DD"),
        (("--on", "2026-02-30"), "YYYY-MM-DD"),
        (("--ip", "2a02:cfc0::1", "--country", "FR"), "not both"),
        (("--subdivision", "US-CA"), "needs --country"),
        (("--site", "nowhere"), "There is no site 'nowhere'"),
    ],
)
def test_what_cannot_be_explained_is_refused_with_a_sentence(
    site: Site, words: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        explain(*words)


def test_without_a_site_the_command_says_how_to_make_one(db: None) -> None:
    with pytest.raises(CommandError, match="There is no site yet"):
        explain("--country", "FR")


@pytest.mark.parametrize(
    ("country", "part", "rule"),
    [
        ("US", "CA", "US-CA"),
        ("us", "ca", "US-CA"),
        ("US", "US-CA", "US-CA"),
        ("US", "PR", "PR"),
        ("CA", "QC", "CA-QC"),
        ("FR", "974", "RE"),
        ("UK", "ENG", "GB"),
        ("US", "CA-QC", "US-*"),
        ("US", "ZZ", "US-*"),
    ],
)
def test_a_subdivision_is_one_of_the_country_it_is_given_with(
    site: Site, country: str, part: str, rule: str
) -> None:
    told = as_json("--country", country, "--subdivision", part)
    assert told["rule"]["name"] == rule


@pytest.mark.parametrize(
    ("moment", "days", "model"),
    [
        ("2026-11-30T09:59:00Z", {"2026-11-30", "2026-11-29"}, "notice"),
        ("2026-12-01T00:00:00Z", {"2026-11-30", "2026-12-01"}, "opt_in"),
        ("2026-12-01T12:00:00Z", {"2026-12-01"}, "opt_in"),
    ],
)
def test_without_a_day_every_day_that_it_can_be_at_the_place_counts(
    visitor: Any, noon: Any, moment: str, days: set[str], model: str
) -> None:
    noon.move_to(moment)
    told = as_json("--country", "CL")
    found = decision(visitor("214.78.120.1", **{"CF-IPCountry": "CL"}))
    assert set(told["on"]) <= days
    assert moment[:10] in told["on"]
    assert told["decision"]["model"] == model == found["model"]


def test_where_a_rule_changes_between_two_days_both_rows_are_shown(
    site: Site, noon: Any
) -> None:
    noon.move_to("2026-12-01T00:00:00Z")
    told = as_json("--country", "CL")
    assert told["on"] == ["2026-11-30", "2026-12-01"]
    assert [row["place"] for row in told["rows"]] == ["CL", "CL"]
    assert "2026-11-30 or 2026-12-01" in explain("--country", "CL")
    assert as_json("--country", "CL", "--on", "2026-11-30")["on"] == ["2026-11-30"]
