"""The first five minutes: visit as a Parisian, refuse, find the proof in the admin."""

from playwright.sync_api import Page, expect

from tests.browser.steps import PASSWORD, banner, receipt, reject


def test_a_newcomer_refuses_as_a_parisian_and_finds_the_record(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Paris").click()
    expect(page.get_by_role("complementary")).to_contain_text("France")
    reject(page)
    expect(page.get_by_role("status")).to_contain_text(
        "You’ve rejected additional cookies."
    )
    number = receipt(page)
    page.get_by_role("link", name="Hide this message").click()
    expect(banner(page)).to_have_count(0)

    page.goto("/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Geo database")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Records").click()
    page.get_by_role("searchbox").fill(number)
    page.keyboard.press("Enter")
    page.get_by_role("link", name=number).click()
    expect(page.locator(".readonly pre")).to_contain_text('"event": "refused"')
    expect(page.locator(".readonly pre")).to_contain_text('"rule": "FR"')


def test_the_form_visits_as_any_address_on_any_day(page: Page) -> None:
    page.goto("/")
    panel = page.get_by_role("complementary")
    panel.get_by_label("Any address or code").fill("CL")
    panel.get_by_label("On the day").fill("2026-11-30")
    panel.get_by_role("button", name="Visit").click()
    expect(banner(page)).to_have_count(0)
    page.get_by_label("On the day").fill("2026-12-01")
    page.get_by_role("button", name="Visit").click()
    expect(banner(page).get_by_role("button")).to_have_count(2)


def test_low_confidence_is_marked_and_nothing_is_called_advice(page: Page) -> None:
    page.goto("/?as=AL")
    panel = page.get_by_role("complementary")
    expect(panel.locator(".doubt").first).to_contain_text("low")
    expect(panel).to_contain_text("Research, not legal advice.")
