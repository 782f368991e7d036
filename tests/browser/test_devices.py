"""A choice follows the person to another browser, and nobody else's comes along."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.browser.steps import (
    accept,
    answer,
    answers,
    receipt,
    reject,
    save,
    sign_in,
    to_preferences,
    visit,
)

NewContext = Callable[..., BrowserContext]


def test_a_choice_made_in_one_browser_shows_in_the_settings_of_another(
    new_context: NewContext,
) -> None:
    laptop = visit(new_context())
    sign_in(laptop)
    answer(laptop, "analytics", "Yes")
    save(laptop)
    number = receipt(laptop)

    phone = visit(new_context())
    sign_in(phone)
    expect(phone.get_by_role("heading", level=1)).to_have_text("Cookie Preferences")
    assert answers(phone) == {"functional": "no", "analytics": "yes", "marketing": "no"}
    expect(phone.get_by_role("cell", name=number)).to_be_visible()


def test_a_refusal_kept_at_sign_in_is_told_and_allowed_again_in_one_click(
    new_context: NewContext,
) -> None:
    laptop = visit(new_context())
    sign_in(laptop)
    laptop.get_by_role("button", name="Accept all").click()

    phone = visit(new_context())
    reject(phone)
    sign_in(phone)
    expect(phone.get_by_role("main")).to_contain_text("The refusal was kept for:")
    assert set(answers(phone).values()) == {"no"}
    phone.get_by_role("button", name="Allow them again").click()
    assert set(answers(phone).values()) == {"yes"}
    expect(phone.get_by_role("main")).not_to_contain_text("The refusal was kept for:")


def test_signing_out_leaves_the_choice_but_no_history(new_context: NewContext) -> None:
    page = visit(new_context())
    sign_in(page)
    page.get_by_role("button", name="Accept all").click()
    page.get_by_role("button", name="Sign out").click()
    to_preferences(page)
    expect(page.get_by_role("main")).to_contain_text(
        "This browser holds no key to any record."
    )


def test_the_history_can_be_taken_away(new_context: NewContext) -> None:
    page = visit(new_context())
    accept(page)
    sign_in(page)
    for form in ("JSON", "CSV"):
        with page.expect_download() as download:
            page.get_by_role("link", name=form).click()
        assert download.value.suggested_filename == f"cookie-preferences.{form.lower()}"


def test_the_settings_area_names_where_one_is(new_context: NewContext) -> None:
    page = visit(new_context())
    sign_in(page)
    for name in ("Profile", "Security", "Cookie Preferences"):
        page.get_by_role("navigation", name="User Settings").get_by_role(
            "link", name=name
        ).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        expect(page.locator(".side [aria-current=page]")).to_have_text(name)
    expect(page.get_by_role("main")).to_contain_text("what our servers report")
