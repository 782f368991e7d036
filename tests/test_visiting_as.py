"""The demo: playing somebody else by `?as=`, on a server that shows itself."""

import pytest
from django.test import Client
from pytest_django import Settings

from consent.models import Site
from consent.views.demo import VISITORS
from tests.conftest import NOON
from tests.test_pages import hrefs
from tests.visits import ALL, body, decision, post_form, records, send


@pytest.fixture
def demo(site: Site, settings: Settings) -> Client:
    settings.DEMO = True
    settings.DEBUG = True
    return Client()


PLAYED = [
    ("FR", "FR", "opt_in", "opt_in"),
    ("GB", "GB", "opt_in", "opt_in"),
    ("CH", "CH", "opt_in", "opt_in"),
    ("CA-QC", "CA-QC", "opt_in", "opt_in"),
    ("US-CA", "US-CA", "opt_out", "none"),
    ("US-CA,gpc", "US-CA", "opt_out", "none"),
    ("US-VA", "US-VA", "opt_out", "none"),
    ("JP", "JP", "notice", "none"),
    ("tor", "*", "opt_in", "opt_in"),
    ("unknown", "*", "opt_in", "opt_in"),
    ("214.78.120.1", "US-CA", "opt_out", "none"),
    ("2a02:cfc0::1", "FR", "opt_in", "opt_in"),
    ("us-ca", "US-CA", "opt_out", "none"),
    ("CL@2026-11-29", "CL", "notice", "none"),
    ("CL@2026-12-01", "CL", "opt_in", "opt_in"),
    ("QQ", "*", "opt_in", "opt_in"),
    ("nonsense", "*", "opt_in", "opt_in"),
    ("@2026-12-01", "*", "opt_in", "opt_in"),
    ("FR@no day", "FR", "opt_in", "opt_in"),
    ("ß", "*", "opt_in", "opt_in"),
    ("\0", "*", "opt_in", "opt_in"),
    ("9" * 3000, "*", "opt_in", "opt_in"),
]


def test_everybody_on_the_list_is_in_the_table() -> None:
    assert {name for name, _ in VISITORS} <= {row[0] for row in PLAYED}


@pytest.mark.parametrize(("name", "rule", "model", "banner"), PLAYED)
def test_somebody_is_played_and_every_page_works(
    demo: Client, noon: object, name: str, rule: str, model: str, banner: str
) -> None:
    found = demo.get("/api/v1/decision", {"as": name}).json()
    assert found["jurisdiction"]["rule"] == rule
    assert (found["model"], found["banner"]) == (model, banner)
    assert found["signals"]["gpc"] is ("gpc" in name)
    for page in ("/", "/cookie-preferences/", "/privacy-choices/", "/sign-in/"):
        assert demo.get(page, {"as": name}).status_code == 200


def test_a_day_far_away_breaks_nothing(demo: Client) -> None:
    for day in ("0001-01-01", "9999-12-31", "2026-12-01T25:00", "2026-W01-1"):
        for page in ("/", "/api/v1/decision"):
            assert demo.get(page, {"as": f"CL@{day}"}).status_code == 200


@pytest.mark.parametrize(("demo_on", "debug"), [(True, False), (False, True)])
def test_nobody_plays_anybody_unless_both_are_set(
    site: Site, settings: Settings, demo_on: bool, debug: bool
) -> None:
    settings.DEMO, settings.DEBUG = demo_on, debug
    parisian = Client(headers={"x-forwarded-for": "2a02:cfc0::1"})
    assert decision(parisian, "?as=US-AK")["jurisdiction"]["rule"] == "FR"
    assert "visit-as" not in parisian.get("/?as=US-AK").content.decode()


def test_who_is_played_is_kept_across_the_pages(demo: Client) -> None:
    page = demo.get("/", {"as": "US-CA,gpc"}).content.decode()
    assert "/privacy-choices/?" in page
    assert "as=US-CA%2Cgpc" in page
    assert "/privacy-choices/" in hrefs(demo.get("/", {"as": "US-CA,gpc"}))


def test_a_record_made_on_a_played_day_has_the_servers_time(
    demo: Client, noon: object
) -> None:
    response = send(demo, body(ALL), query="?as=CL@2027-06-01")
    assert response.status_code == 201
    (record,) = records()
    assert record["time"] == "2026-11-23T12:00:00.000Z" == f"{NOON:%FT%T}.000Z"
    assert record["jurisdiction"]["rule"] == "CL"
    assert record["model"] == "opt_in"


def test_the_form_of_a_played_visitor_is_that_visitors(demo: Client) -> None:
    response = post_form(demo, "reject", path="/consent/choice/?as=CA-QC")
    assert response.status_code == 303
    assert records()[0]["jurisdiction"]["rule"] == "CA-QC"
