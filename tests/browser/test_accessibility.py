"""WCAG 2.2 AA on every page and state, and not one complaint in the console."""

import gzip
from collections.abc import Callable
from functools import cache
from itertools import product
from pathlib import Path

import axe_playwright_python
import pytest
from django.contrib.staticfiles import finders
from playwright.sync_api import BrowserContext, Page

from tests.browser.conftest import Console
from tests.browser.steps import accept, reject, sign_in, visit

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
NO_WIDER = "document.documentElement.scrollWidth <= innerWidth"
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
SIZES = ((1280, 800), (320, 568))
SCHEMES = ("light", "dark")


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


@pytest.mark.parametrize("state", STATES)
def test_no_violation_of_wcag_and_no_complaint(page: Page, state: str) -> None:
    page.goto("/?as=FR")
    STATES[state](page)
    for (width, height), scheme in product(SIZES, SCHEMES):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == [], f"{width} pixels wide, {scheme}"
        assert page.evaluate(NO_WIDER), f"{width} pixels wide"
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert violations(page) == []
    assert page.evaluate(NO_WIDER), "right to left"


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


def test_a_problem_is_told_on_a_page_of_its_own(page: Page, console: Console) -> None:
    page.goto("/consent/choice/")
    assert page.get_by_role("heading", level=1).inner_text() == "That did not work"
    assert violations(page) == []
    page.get_by_role("link", name="Go to the home page").click()
    assert page.title() == "Harbour Bakery"
    # The browser names the 405 in the console, as it should.
    assert len(console.complaints) == 1
    console.complaints.clear()


def test_script_and_styles_on_a_sites_page_are_at_most_six_kilobytes() -> None:
    weight = {
        name: len(gzip.compress(Path(finders.find(f"consent/{name}")).read_bytes(), 9))
        for name in ("consent.min.js", "consent.min.css", "pages.css")
    }
    assert weight["consent.min.js"] + weight["consent.min.css"] <= 6000
    assert weight["pages.css"] <= 3000  # of our own pages alone


def test_no_page_needs_an_inline_style_or_script(page: Page) -> None:
    for path in ("/?as=FR", "/cookie-preferences/?as=FR", "/sign-in/"):
        page.goto(path)
        assert page.locator("[style], style, script:not([src])").count() == 0
