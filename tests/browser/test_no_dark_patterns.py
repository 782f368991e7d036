"""Refusing is as easy as accepting, and nothing but an answer is an answer."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.steps import accept, answers, banner, chosen, reject, visit
from tests.wording import unwanted

LOOKS = """button => {
  const style = getComputedStyle(button), box = button.getBoundingClientRect();
  const names = ["backgroundColor", "color", "borderTopColor", "borderTopWidth",
    "borderRadius", "fontSize", "fontWeight", "fontFamily", "opacity", "cursor",
    "textDecorationLine", "boxShadow"];
  return {tag: button.tagName, height: box.height, width: box.width,
    ...Object.fromEntries(names.map(name => [name, style[name]]))};
}"""
SIZES = {"small": (320, 568), "phone": (390, 844), "desk": (1280, 800)}


@pytest.fixture
def asked(page: Page) -> Page:
    """A Parisian who has not chosen yet."""
    page.goto("/?as=FR")
    return page


def equal_looks(one: Locator, other: Locator) -> None:
    first, second = one.evaluate(LOOKS), other.evaluate(LOOKS)
    assert second.pop("width") == pytest.approx(first.pop("width"), rel=0.1)
    assert first == second


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accept_and_reject_look_the_same(
    new_context: Callable[..., BrowserContext], size: str, scheme: str
) -> None:
    width, height = SIZES[size]
    page = visit(
        new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    )
    buttons = banner(page).get_by_role("button")
    assert buttons.all_inner_texts() == [
        "Accept additional cookies",
        "Reject additional cookies",
    ]
    equal_looks(buttons.first, buttons.last)
    assert buttons.first.bounding_box()["y"] == buttons.last.bounding_box()["y"]
    page.goto("/cookie-preferences/?as=FR")
    every = page.get_by_role("button", name="Accept all")
    equal_looks(every, page.get_by_role("button", name="Reject all"))
    every.click()
    equal_looks(every, page.get_by_role("button", name="Withdraw all"))


def test_one_click_is_enough_either_way(
    new_context: Callable[..., BrowserContext],
) -> None:
    for choose in (accept, reject):
        page = visit(new_context())
        choose(page)
        assert chosen(page.context)


def test_nothing_is_ticked_before_an_answer(page: Page) -> None:
    for place in ("FR", "US-CA", "JP", "unknown", "US-CA,gpc"):
        page.goto(f"/cookie-preferences/?as={place}")
        assert set(answers(page).values()) == {None}


def test_escape_scrolling_waiting_and_going_on_are_no_answer(asked: Page) -> None:
    asked.keyboard.press("Escape")
    asked.mouse.wheel(0, 4000)
    asked.mouse.click(640, 500)
    asked.wait_for_timeout(500)
    asked.get_by_role("link", name="London").click()
    asked.get_by_role("link", name="Sign in").click()
    assert not chosen(asked.context)
    expect(banner(asked)).to_be_visible()


def test_nothing_is_set_and_nobody_else_is_asked_before_an_answer(
    context: BrowserContext, live_server: object
) -> None:
    asked_for: list[str] = []
    context.on("request", lambda request: asked_for.append(request.url))
    page = visit(context)
    for path in ("/cookie-preferences/?as=FR", "/privacy-choices/?as=US-CA"):
        page.goto(path)
    assert context.cookies() == []
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert [url for url in asked_for if not url.startswith(str(live_server))] == []


def test_the_page_works_while_the_banner_is_there(asked: Page) -> None:
    assert asked.locator("[aria-modal], [role=dialog], dialog").count() == 0
    assert asked.evaluate("document.activeElement === document.body")
    position = banner(asked).evaluate("element => getComputedStyle(element).position")
    assert position == "static"
    for _ in range(12):
        asked.keyboard.press("Tab")
    inside = "document.activeElement.closest('.consent') !== null"
    assert not asked.evaluate(inside)


def test_the_keyboard_alone_reaches_both_answers_first(asked: Page) -> None:
    reached = []
    for _ in range(4):
        asked.keyboard.press("Tab")
        reached.append(asked.evaluate("document.activeElement.textContent.trim()"))
    assert reached == [
        "Privacy policy",
        "Accept additional cookies",
        "Reject additional cookies",
        "Choose which cookies",
    ]
    asked.keyboard.press("Shift+Tab")
    asked.keyboard.press("Enter")
    expect(asked.get_by_role("status")).to_contain_text("You’ve rejected")


@pytest.mark.parametrize(
    "path", ["/", "/sign-in/", "/privacy-choices/", "/cookie-preferences/"]
)
def test_withdrawing_takes_two_clicks_from_any_page(page: Page, path: str) -> None:
    page.goto("/?as=FR")
    accept(page)
    page.goto(f"{path}?as=FR")
    page.get_by_role("contentinfo").get_by_role(
        "link", name="Cookie Preferences"
    ).click()
    page.get_by_role("button", name="Withdraw all").click()
    assert set(answers(page).values()) == {"no"}


def test_after_a_refusal_nobody_is_asked_again(asked: Page) -> None:
    reject(asked)
    today = datetime.now(UTC).date()
    for days in (1, 90, 170):
        asked.goto(f"/?as=FR@{today + timedelta(days)}")
        expect(banner(asked)).to_have_count(0)


@pytest.mark.parametrize("who", ["FR", "FR,gpc", "unknown", "MX"])
def test_the_banner_leaves_two_thirds_of_a_small_phone(
    new_context: Callable[..., BrowserContext], who: str
) -> None:
    page = visit(new_context(viewport={"width": 320, "height": 568}), f"/?as={who}")
    assert banner(page).bounding_box()["height"] <= 568 / 3
    for control in banner(page).locator("button, .acts a").all():
        box = control.bounding_box()
        assert box["height"] >= 44
        assert box["width"] >= 44


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_every_control_can_be_hit_by_a_thumb(
    new_context: Callable[..., BrowserContext], width: int
) -> None:
    page = visit(new_context(viewport={"width": width, "height": 800}))
    for path in ("/?as=FR", "/cookie-preferences/?as=FR", "/sign-in/?as=JP"):
        page.goto(path)
        controls = page.locator("button, .button, .radios label, nav a, .foot li a")
        assert controls.count() > 3
        for control in controls.all():
            assert control.bounding_box()["height"] >= 44


def test_a_place_that_asks_for_a_notice_gets_a_slim_bar_with_one_link(
    page: Page,
) -> None:
    page.goto("/?as=MX")
    bar = banner(page)
    expect(bar.get_by_role("button")).to_have_count(0)
    expect(bar.get_by_role("link")).to_have_count(1)
    assert bar.bounding_box()["height"] < 100


def test_no_page_speaks_of_legitimate_interest(page: Page) -> None:
    for path in ("/", "/cookie-preferences/", "/privacy-choices/"):
        for code in ("en", "fr", "de", "es"):
            page.goto(f"{path}?as=FR&language={code}")
            assert unwanted(code, page.locator("body").inner_text()) == []
        assert page.locator("[type=checkbox]:checked").count() == 0


def test_the_asking_pages_do_not_ask_twice(page: Page) -> None:
    for path in ("/cookie-preferences/", "/privacy-choices/"):
        page.goto(f"{path}?as=FR")
        expect(banner(page)).to_have_count(0)
