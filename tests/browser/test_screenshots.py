"""Every state as a picture; `SCREENSHOTS=1` keeps them in docs/screenshots/."""

import os
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Error, Page

import bootstrap
from tests.browser.steps import PASSWORD, accept, reject, sign_in, visit

FOLDER = bootstrap.ROOT / "docs" / "screenshots"
DESK = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}}
DARK = {"color_scheme": "dark"}
# Of these the upper part says everything.
UPPER = {"accepted", "banner-signal", "notice"}


def taken(page: Page, **options: Any) -> bytes:
    """A picture of the page; a browser that is too busy to draw is asked again."""
    for _ in range(3):
        try:
            return page.screenshot(**options)
        except Error as error:
            if "Unable to capture screenshot" not in str(error):
                raise
            page.wait_for_timeout(1000)
    return page.screenshot(**options)


def still(_page: Page) -> None:
    """Only look."""


def foot(page: Page) -> None:
    page.get_by_role("contentinfo").scroll_into_view_if_needed()


def turn(page: Page) -> None:
    page.evaluate("document.documentElement.dir = 'rtl'")


def settings(page: Page) -> None:
    sign_in(page)
    page.get_by_role("button", name="Accept all").click()
    page.goto("/settings/user/cookie-preferences/?as=FR")


def saved(page: Page) -> None:
    page.get_by_role("button", name="Accept all").click()


def record(page: Page) -> None:
    reject(page)
    page.goto("/admin/consent/content/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("row").filter(has_text="refused").get_by_role("link").click()
    page.locator(".readonly pre").wait_for()


CENTRE = "/cookie-preferences/?as=FR&return_to=/"
PICTURES = {
    "banner": ("/?as=FR", DESK, still),
    "banner-dark": ("/?as=FR", {**DESK, **DARK}, still),
    "banner-phone": ("/?as=FR", PHONE, still),
    "banner-phone-dark": ("/?as=FR", {**PHONE, **DARK}, still),
    "banner-right-to-left": ("/?as=FR", PHONE, turn),
    "banner-signal": ("/?as=FR,gpc", DESK, still),
    "accepted": ("/?as=FR", DESK, accept),
    "rejected-phone": ("/?as=FR", PHONE, reject),
    "notice": ("/?as=MX", DESK, still),
    "signal-honored": ("/?as=US-CA,gpc", DESK, foot),
    "preferences": (CENTRE, DESK, still),
    "preferences-phone": (CENTRE, PHONE, still),
    "preferences-saved": (CENTRE, DESK, saved),
    "privacy-choices": ("/privacy-choices/?as=US-CA", DESK, still),
    "sign-in-phone": ("/sign-in/?as=JP", PHONE, still),
    "settings": ("/?as=FR", DESK, settings),
    "settings-phone-dark": ("/?as=FR", {**PHONE, **DARK}, settings),
    "admin-record": ("/?as=FR", DESK, record),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of(new_context: Callable[..., BrowserContext], name: str) -> None:
    path, look, do = PICTURES[name]
    page = visit(new_context(**look), path)
    do(page)
    upper = {"x": 0, "y": 0, "width": 1280, "height": 300} if name in UPPER else None
    picture = taken(page, animations="disabled", clip=upper)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if os.environ.get("SCREENSHOTS"):
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / f"{name}.png").write_bytes(picture)
    assert len(picture) > 5_000


def test_without_javascript_the_page_looks_the_same(
    new_context: Callable[..., BrowserContext],
) -> None:
    pictures = [
        taken(visit(new_context(java_script_enabled=on, **PHONE)))
        for on in (True, False)
    ]
    assert pictures[0] == pictures[1]
