"""What people do in the browser tests, in their words."""

import time
from typing import Final

from playwright.sync_api import BrowserContext, Error, Locator, Page

PASSWORD: Final = "bread-at-six-o-clock"
COOKIE: Final = "consent"


def visit(context: BrowserContext, path: str = "/?as=FR") -> Page:
    page = context.new_page()
    page.goto(path)
    return page


def banner(page: Page) -> Locator:
    return page.get_by_role("region", name="Cookies on Harbour Bakery")


def accept(page: Page) -> None:
    banner(page).get_by_role("button", name="Accept additional cookies").click()


def reject(page: Page) -> None:
    banner(page).get_by_role("button", name="Reject additional cookies").click()


def receipt(page: Page) -> str:
    """The number of the receipt that the page shows after a choice."""
    return page.get_by_role("status").locator("code").inner_text()


def answer(page: Page, purpose: str, word: str) -> None:
    """Say Yes or No to one question of the preference centre."""
    question = page.get_by_role(
        "group", name=f"Do you want to allow {purpose} cookies?"
    )
    question.get_by_label(word).check()


def answers(page: Page) -> dict[str, str | None]:
    """Which radio stands checked for every purpose; None where none does."""
    found = {}
    for purpose in ("functional", "analytics", "marketing"):
        checked = page.locator(f"[name=purpose-{purpose}]:checked")
        found[purpose] = checked.get_attribute("value") if checked.count() else None
    return found


def save(page: Page) -> None:
    page.get_by_role("button", name="Save preferences").click()


def to_preferences(page: Page) -> None:
    page.get_by_role("contentinfo").get_by_role(
        "link", name="Cookie Preferences"
    ).click()


def sign_in(page: Page, name: str = "visitor") -> None:
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()


def chosen(context: BrowserContext) -> bool:
    """Whether the browser holds a choice."""
    return any(cookie["name"] == COOKIE for cookie in context.cookies())


def ready(page: Page, path: str) -> Page:
    """Open a page, and wait until the script knows what may run."""
    page.goto(path)
    page.evaluate("consent.ready.then(() => 0)")
    return page


def until(page: Page, condition: str) -> None:
    """Wait for something; Playwright's own way needs `eval`, which no page allows."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            if page.evaluate(f"Boolean({condition})"):
                return
        except Error:
            pass  # a new page is on its way
        page.wait_for_timeout(30)
    raise AssertionError(f"{condition} never came true")
