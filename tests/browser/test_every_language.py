"""In every language the banner fits a small phone, and both answers look the same."""

from collections.abc import Callable

import pytest
from django.conf import settings
from playwright.sync_api import BrowserContext, Page

from tests.browser.test_no_dark_patterns import equal_looks

SMALL = {"viewport": {"width": 320, "height": 568}}
CODES = [code for code, _name in settings.LANGUAGES]
NO_WIDER = "document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture
def phone(new_context: Callable[..., BrowserContext]) -> Page:
    return new_context(**SMALL).new_page()


def test_the_banner_leaves_two_thirds_of_a_small_phone(phone: Page) -> None:
    wrong = []
    for code in CODES:
        for who in ("FR", "FR,gpc"):
            phone.goto(f"/?as={who}&language={code}")
            shown = phone.locator(".consent")
            assert shown.get_attribute("lang") == code
            height = shown.bounding_box()["height"]
            if height > 568 / 3 or not phone.evaluate(NO_WIDER):
                wrong.append((code, who, height))
    assert wrong == []


def test_both_answers_look_the_same_and_can_be_hit(phone: Page) -> None:
    for code in CODES:
        phone.goto(f"/?as=FR&language={code}")
        accept, reject = phone.locator(".consent button").all()
        equal_looks(accept, reject)
        assert accept.bounding_box()["height"] >= 44
        assert accept.bounding_box()["y"] == reject.bounding_box()["y"], code


def test_pages_read_from_right_to_left_where_their_language_does(phone: Page) -> None:
    for code in ("ar", "he", "fr"):
        phone.goto(f"/cookie-preferences/?as=FR&language={code}")
        wanted = "rtl" if code in {"ar", "he"} else "ltr"
        assert phone.locator("html").get_attribute("dir") == wanted
        assert phone.locator("html").get_attribute("lang") == code
        assert phone.evaluate(NO_WIDER)


def test_the_menu_changes_the_language_and_the_answer_keeps_it(phone: Page) -> None:
    phone.goto("/cookie-preferences/?as=FR&return_to=/")
    phone.get_by_label("Language").select_option("fi")
    phone.get_by_role("button", name="Change").click()
    assert phone.locator("html").get_attribute("lang") == "fi"
    phone.locator("button[value=reject]").click()
    assert phone.locator("html").get_attribute("lang") == "fi"
    assert phone.locator("#language").input_value() == "fi"


def test_a_region_that_is_chosen_adds_protection_and_is_kept(phone: Page) -> None:
    phone.goto("/cookie-preferences/?as=US-CA&return_to=/")
    assert "may run until you refuse" in phone.locator("main").inner_text()
    phone.get_by_label("Choose your region").select_option("DE")
    phone.get_by_role("button", name="Use this region").click()
    assert "wait until you allow" in phone.locator("main").inner_text()
    phone.locator("button[value=reject]").click()
    phone.goto("/cookie-preferences/?as=US-CA")
    assert phone.locator("#place").input_value() == "DE"
    assert "You chose Germany as well" in phone.locator("main").inner_text()
