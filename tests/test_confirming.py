"""The page after a choice: it confirms, tells the receipt's number, and hides none."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from consent.models import Content
from tests.conftest import NOON, NewVisitor
from tests.visits import ALL, choose, cookie, post_form, sign_in


def newest() -> str:
    return Content.objects.filter(kind="consent").latest("time").entry_id.hex


def page(browser: Client, path: str) -> str:
    response = browser.get(path)
    assert response.status_code == 200
    return response.content.decode()


# --- the receipt's number -----------------------------------------------------------


@pytest.mark.parametrize("answer", ["accept", "reject"])
def test_the_page_after_a_choice_tells_the_receipt_to_its_own_browser_alone(
    visitor: NewVisitor, answer: str
) -> None:
    mine, stranger = visitor("2a02:cfc0::1"), visitor("2a02:cfc0::1")
    where = post_form(mine, answer).url
    number = newest()
    choose(stranger, {"analytics": True})
    assert number not in where
    assert number in page(mine, where)
    assert number not in page(stranger, where)
    assert number not in page(visitor("2a02:cfc0::1"), where)


def test_the_same_answer_in_the_same_hour_does_not_open_anothers_envelope(
    visitor: NewVisitor, noon: Any
) -> None:
    mine, stranger = visitor("2a02:cfc0::1"), visitor("2a02:cfc0::1")
    where = post_form(mine, "accept").url
    number = newest()
    post_form(stranger, "accept")
    assert cookie(mine) == cookie(stranger)
    assert number in page(mine, where)
    assert number not in page(stranger, where)


@pytest.mark.parametrize("answer", ["accept", "reject"])
def test_a_browser_that_holds_an_id_is_told_its_next_receipt(
    parisian: Client, answer: str
) -> None:
    post_form(parisian, "accept")
    where = post_form(parisian, answer, surface="preferences").url
    assert newest() in page(parisian, where)


def test_an_account_is_told_its_receipt_and_a_stranger_is_not(
    visitor: NewVisitor, ada: Any
) -> None:
    mine, stranger = visitor("2a02:cfc0::1"), visitor("2a02:cfc0::1")
    sign_in(mine, ada)
    where = post_form(mine, "accept").url
    number = newest()
    assert number in page(mine, where)
    choose(stranger, {"analytics": True})
    assert number not in page(stranger, where)


def test_an_opt_out_tells_its_receipt_to_its_own_browser_alone(
    visitor: NewVisitor,
) -> None:
    mine, stranger = visitor("214.78.120.1"), visitor("214.78.120.1")
    where = post_form(mine, "", path="/privacy-choices/").url
    number = newest()
    assert number in page(mine, where)
    assert number not in page(stranger, where)


def test_an_envelope_opens_for_ten_minutes(parisian: Client, noon: Any) -> None:
    where = post_form(parisian, "reject").url
    number = newest()
    noon.move_to(NOON + timedelta(minutes=9))
    assert number in page(parisian, where)
    noon.move_to(NOON + timedelta(minutes=11))
    assert number not in page(parisian, where)


@pytest.mark.parametrize("text", ["", "x", "é", "gAAAAA", "%00", "a" * 900])
def test_what_is_no_envelope_names_no_receipt(parisian: Client, text: str) -> None:
    choose(parisian, ALL)
    number = newest()
    assert number not in page(parisian, f"/?cookies=saved&receipt={text}")


# --- a confirmation never stands for the banner -------------------------------------


def test_an_address_that_says_saved_does_not_replace_a_banner_that_is_due(
    parisian: Client, noon: Any
) -> None:
    where = post_form(parisian, "accept").url
    assert 'class="consent saved"' in page(parisian, where)
    noon.move_to(NOON + timedelta(days=181))
    for path in (where, "/?cookies=saved"):
        shown = page(parisian, path)
        assert 'class="consent saved"' not in shown
        assert 'value="accept"' in shown
        assert 'value="reject"' in shown


def test_an_address_that_says_saved_confirms_nothing_to_somebody_without_a_choice(
    visitor: NewVisitor,
) -> None:
    for address in ("2a02:cfc0::1", "2001:218::1"):
        assert 'class="consent saved"' not in page(visitor(address), "/?cookies=saved")
