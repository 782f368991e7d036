"""Every state as a picture; `SCREENSHOTS=1` keeps them in docs/screenshots/."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Error, Page

import bootstrap
from consent.management.demo_site import POLICY
from consent.models import Site
from consent.publication import publish
from tests.browser.steps import PASSWORD, accept, ready, reject, save, sign_in, visit

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
    "banner-right-to-left": ("/?as=FR&language=ar", PHONE, still),
    "banner-japanese": ("/?as=FR&language=ja", DESK, still),
    "banner-forced-colours": ("/?as=FR", {**PHONE, "forced_colors": "active"}, still),
    "preferences-right-to-left-dark": (
        f"{CENTRE}&language=he",
        {**PHONE, **DARK},
        still,
    ),
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


# Pages of any site: what is held back has a box in its place.
OF_A_SHOP = {
    "held-back": ("/cached/", DESK, still),
    "held-back-phone-dark": ("/cached/?edge=top", {**PHONE, **DARK}, still),
    "accepted-in-place": ("/cached/", DESK, accept),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of(new_context: Callable[..., BrowserContext], name: str) -> None:
    path, look, do = PICTURES[name]
    page = visit(new_context(**look), path)
    do(page)
    keep(page, name)


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("name", OF_A_SHOP)
def test_a_picture_of_a_shop(
    new_context: Callable[..., BrowserContext], name: str
) -> None:
    path, look, do = OF_A_SHOP[name]
    page = ready(new_context(**look).new_page(), path)
    page.locator(".consent").wait_for()
    do(page)
    page.locator(".consent.saved" if do is accept else ".consent").wait_for()
    keep(page, name)


def test_a_picture_of_services_asked_one_by_one(
    new_context: Callable[..., BrowserContext], demo: Site
) -> None:
    purposes = {**POLICY["purposes"], "marketing": {"ask": "service"}}
    policy = {**POLICY, "purposes": purposes}
    publish(site=demo, document=policy, at=datetime.now(UTC), by=None)
    page = visit(new_context(**DESK), CENTRE)
    group = page.get_by_role("radiogroup", name="Video player")
    group.get_by_label("Yes").check()
    save(page)
    group.scroll_into_view_if_needed()
    assert group.get_by_label("Yes").is_checked()
    others = page.get_by_role("radiogroup", name="Advertising")
    assert others.get_by_label("No").is_checked()
    keep(page, "services-one-by-one")


def keep(page: Page, name: str) -> None:
    """Take the picture; `SCREENSHOTS` keeps it."""
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
