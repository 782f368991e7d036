"""WCAG 2.2 AA on every page and state, and not one complaint in the console."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.steps import accept, reject, sign_in, visit

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
SETTINGS = "/settings/user/cookie-preferences/?as=FR"


def saved(page: Page) -> None:
    reject(page)


def kept(page: Page) -> None:
    accept(page)
    page.goto("/cookie-preferences/?as=FR")
    page.get_by_role("button", name="Withdraw all").click()


def to(path: str) -> Callable[[Page], None]:
    return lambda page: page.goto(path)


def account(path: str) -> Callable[[Page], None]:
    def go(page: Page) -> None:
        sign_in(page)
        page.get_by_role("button", name="Accept all").click()
        page.goto(path)

    return go


STATES = {
    "banner": to("/?as=FR"),
    "banner with a signal": to("/?as=FR,gpc"),
    "notice": to("/?as=MX"),
    "no banner": to("/?as=JP"),
    "low confidence": to("/?as=AL"),
    "confirmation": saved,
    "preference centre": to("/cookie-preferences/?as=FR"),
    "preferences saved": kept,
    "privacy choices": to("/privacy-choices/?as=US-CA"),
    "privacy choices with a signal": to("/privacy-choices/?as=US-CA,gpc"),
    "sign-in": to("/sign-in/?as=FR"),
    "settings": account(SETTINGS),
    "profile": account("/settings/user/profile/?as=FR"),
    "security": account("/settings/user/security/?as=FR"),
}
LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 320, "height": 568}},
    "phone, dark": {"viewport": {"width": 320, "height": 568}, "color_scheme": "dark"},
    "right to left": {"viewport": {"width": 390, "height": 844}},
}


@cache
def axe() -> str:
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()


def violations(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 AA, each with the element it found."""
    page.evaluate(axe())
    run = "rules => axe.run({runOnly: {type: 'tag', values: rules}})"
    return [
        f"{found['id']}: {node['html']} {node['failureSummary']}"
        for found in page.evaluate(run, RULES)["violations"]
        for node in found["nodes"]
    ]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("state", STATES)
def test_no_violation_of_wcag_and_no_complaint(
    new_context: Callable[..., BrowserContext], state: str, look: str
) -> None:
    page = visit(new_context(**LOOKS[look]))
    STATES[state](page)
    if look == "right to left":
        page.evaluate("document.documentElement.dir = 'rtl'")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_pages_name_their_language_and_title(page: Page) -> None:
    page.goto("/?as=FR")
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("html").get_attribute("dir") == "ltr"
    assert page.title() == "Harbour Bakery"


def test_a_page_at_four_hundred_percent_needs_no_sideways_scrolling(
    new_context: Callable[..., BrowserContext],
) -> None:
    # WCAG 1.4.10: 1280 pixels wide at 400 % are 320 pixels.
    page = visit(new_context(viewport={"width": 320, "height": 256}))
    for path in ("/?as=FR", "/cookie-preferences/?as=FR", "/privacy-choices/?as=US-CA"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_forced_colours_page_still_shows_edges(
    new_context: Callable[..., BrowserContext],
) -> None:
    page = visit(new_context(forced_colors="active"))
    width = "button => getComputedStyle(button).borderTopWidth"
    for button in page.locator(".consent button").all():
        assert button.evaluate(width) == "2px"
    edge = "banner => getComputedStyle(banner).borderBottomStyle"
    assert page.locator(".consent").evaluate(edge) == "solid"


def test_nothing_moves_for_those_who_ask_for_it(
    new_context: Callable[..., BrowserContext],
) -> None:
    page = visit(new_context(reduced_motion="reduce"))
    moving = """[...document.querySelectorAll('*')].filter(element => {
      const style = getComputedStyle(element);
      return style.transitionDuration !== '0s' || style.animationName !== 'none'
        || style.scrollBehavior === 'smooth';
    }).length"""
    assert page.evaluate(moving) == 0


def test_the_banner_is_not_printed(new_context: Callable[..., BrowserContext]) -> None:
    page = visit(new_context())
    page.emulate_media(media="print")
    assert not page.locator(".consent").is_visible()
    assert page.get_by_role("main").is_visible()
