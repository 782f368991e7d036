"""The banner's form answers what that banner asked, and nothing else, at any time."""

import copy
import re

from django.test import Client

from consent.models import Site
from tests.test_client_state import publish
from tests.visits import choose, decision, post_form, records, rows

FIRST = {"functional": True, "analytics": False, "marketing": False}


def fields(browser: Client) -> dict[str, str]:
    """The hidden fields of the banner on the page."""
    page = browser.get("/").content.decode()
    form = page.split('<section class="consent"')[1].split("</section>")[0]
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


def asked_again(site: Site, browser: Client) -> dict[str, str]:
    """A banner that asks about one purpose alone, because what it does has changed."""
    choose(browser, FIRST)
    policy = copy.deepcopy(site.policies.get(version=1).document)
    chat = next(s for s in policy["services"] if s["slug"] == "chat")
    more = {**chat, "slug": "chat2", "name": "Second chat"}
    publish(site, services=[*policy["services"], more])
    return fields(browser)


def test_a_form_names_the_banner_that_it_belongs_to(
    site: Site, parisian: Client
) -> None:
    sent = fields(parisian)
    response = post_form(parisian, "reject", **sent)
    assert response.status_code == 303
    (record,) = records()
    assert record["notice"] == {"hash": sent["notice"], "language": "en"}


def test_an_old_form_sent_once_more_allows_only_what_it_asked(
    site: Site, parisian: Client
) -> None:
    sent = asked_again(site, parisian)
    for _ in range(2):
        post_form(parisian, "accept", **sent)
        assert records()[-1]["purposes"] == {"functional": True}
    purposes = decision(parisian)["purposes"]
    assert (purposes["analytics"], purposes["marketing"]) == (False, False)


def test_a_yes_to_what_nobody_asks_is_none(site: Site, parisian: Client) -> None:
    choose(parisian, FIRST)
    before = rows()
    response = post_form(parisian, "accept", policy_version="1", surface="banner")
    assert response.status_code == 409
    assert rows() == before


def test_a_no_counts_however_old_its_banner_is(site: Site, parisian: Client) -> None:
    sent = fields(parisian)
    publish(site)
    assert post_form(parisian, "accept", **sent).status_code == 409
    assert post_form(parisian, "reject", **sent).status_code == 303
    (record,) = records()
    assert set(record["purposes"].values()) == {False}
    assert record["notice"]["hash"] is None
