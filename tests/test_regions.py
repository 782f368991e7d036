"""The region that a visitor declares: it adds protection and takes none away."""

import html
import re
from typing import Any

import pytest
from django.test import Client

from consent import places, publication
from consent.core.jurisdictions import UNKNOWN_PLACE
from consent.models import Site
from consent.visitor.cookies import parse_choice
from tests.conftest import NewVisitor
from tests.visits import (
    ALL,
    SETTINGS,
    choose,
    cookie,
    decision,
    post_form,
    records,
    sign_in,
)

CENTRE = "/cookie-preferences/"
CALIFORNIA = {"CF-IPCountry": "US", "CF-Region-Code": "CA"}
NONSENSE = ["XX", "EU", "T1", "QQ", "Deutschland", "D", "DE-", "DE-!!", "DE-ABCD", "*"]


@pytest.fixture
def surfer(visitor: NewVisitor) -> Client:
    """Somebody in California whose browser sends no signal."""
    return visitor("214.78.120.1", **CALIFORNIA)


def page(browser: Client, address: str, **headers: str) -> str:
    response = browser.get(address, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def plain(text: str) -> str:
    """What people read of a page, on one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", text)).split())


def menu(text: str) -> dict[str, str]:
    """The regions that a page lets its visitor choose, by code."""
    found = re.search(r'<select id="place".*?</select>', text, re.DOTALL)
    assert found
    pairs = re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)<', found[0])
    assert len(pairs) == len(dict(pairs))
    return {code: html.unescape(name) for code, name in pairs}


def picked(text: str) -> list[str]:
    found = re.search(r'<select id="place".*?</select>', text, re.DOTALL)
    assert found
    return re.findall(r'<option value="([^"]*)" selected', found[0])


# --- both places count ----------------------------------------------------------------


def test_a_declared_region_is_combined_with_the_located_one(surfer: Client) -> None:
    alone = decision(surfer)
    assert (alone["model"], alone["banner"]) == ("opt_out", "none")
    assert alone["purposes"]["analytics"] is True
    both = decision(surfer, "?place=DE")
    assert (both["model"], both["banner"]) == ("opt_in", "opt_in")
    assert both["jurisdiction"]["rule"] == "DE+US-CA"
    assert both["purposes"]["analytics"] is False
    assert both["opt_out_link"] is not None
    assert both["location"]["country"] == "US"
    assert decision(surfer)["model"] == "opt_out"


def test_the_page_says_both_places(surfer: Client) -> None:
    text = plain(page(surfer, f"{CENTRE}?place=DE"))
    assert "We think you are in United States – California." in text
    assert "You chose Germany as well: what is stricter counts." in text
    before = plain(page(surfer, CENTRE))
    assert "You chose" not in before
    assert "would like to add others" in text
    assert "would like to add others" not in before


@pytest.mark.parametrize("place", ["de", "DE", " DE ", "DE-BY", "de-by"])
def test_a_region_may_be_written_in_small_letters_or_with_its_part(
    surfer: Client, place: str
) -> None:
    found = surfer.get("/api/v1/decision", {"place": place}).json()
    assert found["model"] == "opt_in"
    assert "DE" in found["jurisdiction"]["rule"]


@pytest.mark.parametrize("place", ["US-AK", "US-CA", "US"])
def test_a_softer_region_takes_no_protection_away(
    parisian: Client, californian: Client, place: str
) -> None:
    for browser in (parisian, californian):
        alone, both = decision(browser), decision(browser, f"?place={place}")
        stricter = ("none", "notice", "opt_out", "opt_in")
        assert stricter.index(both["model"]) >= stricter.index(alone["model"])
        for purpose, on in both["purposes"].items():
            assert alone["purposes"][purpose] or not on, purpose
        assert both["signals"] == alone["signals"]
    assert decision(parisian, f"?place={place}")["model"] == "opt_in"


def test_where_nobody_knows_the_place_a_declared_one_is_shown_beside_the_strictest(
    hidden: Client,
) -> None:
    found = decision(hidden, "?place=US-AK")
    assert found["model"] == "opt_in"
    assert found["location"]["source"] == "declared"
    assert found["location"]["subdivision"] == "US-AK"
    assert "Alaska" in plain(page(hidden, f"{CENTRE}?place=US-AK"))


@pytest.mark.parametrize("place", NONSENSE)
def test_what_is_no_place_is_ignored(surfer: Client, place: str) -> None:
    plainly = decision(surfer)
    assert surfer.get("/api/v1/decision", {"place": place}).json() == plainly
    response = surfer.get(CENTRE, {"place": place})
    assert response.status_code == 200
    text = response.content.decode()
    assert "You chose" not in plain(text)
    assert picked(text) == []
    assert not re.search(r'action="[^"]*place=', text)


def test_a_part_that_is_not_in_the_book_is_asked_as_its_country(surfer: Client) -> None:
    found = decision(surfer, "?place=CA-ZZ")
    assert found["model"] == "opt_in"
    assert "You chose Canada as well" in plain(page(surfer, f"{CENTRE}?place=CA-ZZ"))


# --- it is kept -----------------------------------------------------------------------


def test_the_forms_carry_the_region_and_the_answer_keeps_it(surfer: Client) -> None:
    text = page(surfer, f"{CENTRE}?place=DE")
    actions = set(re.findall(r'action="(/consent/choice/[^"]*)"', text))
    (action,) = {html.unescape(action) for action in actions}
    assert "place=DE" in action
    (here,) = set(re.findall(r'name="return_to" value="([^"]*)"', text))
    assert "place=DE" in here
    assert picked(text) == ["DE"]
    answered = post_form(
        surfer,
        "save",
        path=action,
        surface="preferences",
        **{"purpose-analytics": "yes"},
    )
    assert answered.status_code == 303
    (record,) = records()
    assert record["jurisdiction"]["rule"] == "DE+US-CA"
    assert record["model"] == "opt_in"
    kept = parse_choice(cookie(surfer) or "", site="default")
    assert kept.region == "DE"


def test_later_decisions_and_answers_keep_the_region(surfer: Client) -> None:
    choose_at(surfer, "DE", {"analytics": True})
    later = decision(surfer)
    assert later["jurisdiction"]["rule"] == "DE+US-CA"
    assert later["model"] == "opt_in"
    assert later["reason"] == "choice_valid"
    again = choose(surfer, {"functional": True})
    assert again["receipt"]["record"]["jurisdiction"]["rule"] == "DE+US-CA"
    text = page(surfer, CENTRE)
    assert picked(text) == ["DE"]
    assert "You chose Germany as well" in plain(text)
    kept = parse_choice(cookie(surfer) or "", site="default")
    assert kept.region == "DE"


def choose_at(browser: Client, place: str, purposes: dict[str, bool]) -> Any:
    response = browser.post(
        f"/api/v1/choices?place={place}",
        {
            "purposes": purposes,
            "policy_version": 1,
            "surface": "preferences",
            "language": "en",
        },
        content_type="application/json",
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert response.status_code == 201, response.content
    return response.json()


def test_a_region_that_is_declared_beside_a_kept_one_counts_beside_it(
    surfer: Client,
) -> None:
    choose_at(surfer, "DE", ALL)
    found = decision(surfer, "?place=CA-QC")
    assert found["jurisdiction"]["rule"] == "CA-QC+DE+US-CA"


def test_a_grant_of_a_softer_place_is_asked_again_where_a_stricter_is_declared(
    surfer: Client,
) -> None:
    choose(surfer, {"analytics": True})
    assert decision(surfer)["purposes"]["analytics"] is True
    found = decision(surfer, "?place=DE")
    assert found["reason"] == "stricter_place"
    assert found["purposes"]["analytics"] is False


def test_an_account_keeps_the_region_too(surfer: Client, ada: Any) -> None:
    sign_in(surfer, ada)
    text = page(surfer, f"{SETTINGS}?place=DE")
    assert picked(text) == ["DE"]
    answered = surfer.post(f"{SETTINGS}?place=DE", {"answer": "reject"})
    assert answered.status_code == 303
    assert records()[-1]["jurisdiction"]["rule"] == "DE+US-CA"
    assert decision(surfer)["jurisdiction"]["rule"] == "DE+US-CA"


def test_somebody_signed_in_is_led_on_with_the_region_they_chose(
    surfer: Client, ada: Any
) -> None:
    sign_in(surfer, ada)
    response = surfer.get(f"{CENTRE}?place=DE&return_to=/x")
    assert response.status_code == 303
    assert "place=DE" in response["Location"]
    assert "return_to=%2Fx" in response["Location"]


def test_links_and_the_banner_carry_the_region(surfer: Client) -> None:
    text = page(surfer, "/?place=DE")
    assert re.search(r'action="/consent/choice/\?[^"]*place=DE', text)
    links = re.findall(r'href="(/(?:cookie-preferences|privacy-choices)/[^"]*)"', text)
    assert links
    assert all("place=DE" in link for link in links)


def test_the_script_carries_the_region_of_its_page(surfer: Client) -> None:
    assert 'data-query="place=DE"' in page(surfer, "/?place=DE&language=de")
    assert "data-query" not in page(surfer, "/?place=QQ")
    assert "data-query" not in page(surfer, "/")


def test_choosing_a_region_sets_no_cookie_and_stores_nothing(surfer: Client) -> None:
    response = surfer.get(f"{CENTRE}?place=DE")
    assert not response.cookies
    assert records() == []


# --- what places are called -----------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("en", "Germany"),
        ("de", "Deutschland"),
        ("fr", "Allemagne"),
        ("es", "Alemania"),
    ],
)
def test_places_have_their_names_in_the_visitors_language(
    surfer: Client, code: str, name: str
) -> None:
    text = page(surfer, f"{CENTRE}?place=DE&language={code}")
    assert menu(text)["DE"] == name
    assert name in plain(text)


@pytest.mark.parametrize(
    ("code", "name"), [("ja", "ドイツ"), ("zh-hant", "德國"), ("pt-br", "Alemanha")]
)
def test_places_have_names_in_other_scripts_and_varieties(
    site: Site, code: str, name: str
) -> None:
    here = publication.by_slug("default")
    assert here
    assert dict(places.choices(here.book, code))["DE"] == name


def test_every_place_of_the_book_is_in_the_list_once(site: Site) -> None:
    here = publication.by_slug("default")
    assert here
    for code in ("en", "de", "ja", "ar", "no-such-language"):
        listed = places.choices(here.book, code)
        codes = [place for place, _name in listed]
        assert sorted(codes) == sorted(set(here.book.places()))
        assert UNKNOWN_PLACE not in codes
        assert all(name.strip() for _place, name in listed)
        names = [name.casefold() for _place, name in listed]
        assert names == sorted(names)


def test_no_two_places_have_the_same_name(site: Site) -> None:
    here = publication.by_slug("default")
    assert here
    for code in ("en", "de", "fr"):
        names = [name for _place, name in places.choices(here.book, code)]
        twice = {name for name in names if names.count(name) > 1}
        assert twice == set()


def test_a_part_of_a_country_is_named_with_it(surfer: Client) -> None:
    names = menu(page(surfer, f"{CENTRE}?language=fr"))
    assert names["CA-QC"].startswith("Canada – ")
    assert names["US-CA"] == "États-Unis – California"


def test_the_menu_offers_every_place_and_none_that_was_thought_of(
    surfer: Client,
) -> None:
    here = publication.by_slug("default")
    assert here
    text = page(surfer, CENTRE)
    assert set(menu(text)) == {"", *here.book.places()}
    assert picked(text) == []
