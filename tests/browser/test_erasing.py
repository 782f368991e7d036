"""Erasing one's own records by hand: it takes a box and a button, and no script."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.steps import COOKIE, accept, receipt, sign_in, visit

CENTRE = "/cookie-preferences/?as=FR&return_to=/"
SETTINGS = "/settings/user/cookie-preferences/?as=FR"
PHONE = {"viewport": {"width": 390, "height": 844}}


def cookies(context: BrowserContext) -> set[str]:
    return {cookie["name"] for cookie in context.cookies()}


def erase(page: Page, whose: str) -> None:
    page.get_by_label(f"Yes, erase the records of {whose}").check()
    page.get_by_role("button", name="Erase my records").click()


@pytest.mark.parametrize("options", [{"java_script_enabled": False}, PHONE])
def test_a_visitor_erases_the_records_of_this_browser(
    new_context: Callable[..., BrowserContext], options: dict[str, object]
) -> None:
    context = new_context(**options)
    page = visit(context)
    accept(page)
    assert f"{COOKIE}_id" in cookies(context)
    page.goto(CENTRE)
    erase(page, "this browser")
    expect(page.get_by_text("Your records are erased")).to_be_in_viewport()
    assert len(receipt(page)) == 32
    assert f"{COOKIE}_id" not in cookies(context)
    assert COOKIE in cookies(context)
    expect(page.get_by_role("button", name="Erase my records")).to_have_count(0)
    page.goto("/?as=FR")
    expect(page.get_by_role("button", name="Accept additional")).to_have_count(0)


def test_the_button_alone_erases_nothing(context: BrowserContext) -> None:
    page = visit(context)
    accept(page)
    page.goto(CENTRE)
    page.get_by_role("button", name="Erase my records").click()
    assert page.url.endswith(CENTRE)
    assert f"{COOKIE}_id" in cookies(context)
    expect(page.get_by_role("row").filter(has_text="Allowed all")).to_have_count(1)


def test_somebody_signed_in_erases_the_records_of_the_account(
    context: BrowserContext,
) -> None:
    page = visit(context)
    sign_in(page)
    page.goto(SETTINGS)
    page.get_by_role("button", name="Accept all").click()
    erase(page, "my account and of this browser")
    expect(page.get_by_text("Your records are erased")).to_be_in_viewport()
    expect(
        page.get_by_text("Nothing has been recorded for your account")
    ).to_be_visible()
    for question in page.get_by_role("group").all():
        expect(question.get_by_label("No")).to_be_checked()
