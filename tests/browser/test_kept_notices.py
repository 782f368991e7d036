"""A kept notice opens years later, without any network, as it looked to the visitor."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route

from consent import notices
from consent.models import Notice
from tests.browser.steps import reject, sign_in, visit

LOOKS = """root => {
  const names = ["display", "color", "backgroundColor", "borderTopColor",
    "borderTopWidth", "borderBottomWidth", "borderRadius", "fontSize", "fontWeight",
    "fontFamily", "lineHeight", "textDecorationLine", "padding", "margin", "opacity",
    "visibility", "cursor", "textAlign", "boxShadow"];
  const from = root.getBoundingClientRect();
  const own = element => [...element.childNodes].filter(n => n.nodeType === 3)
    .map(n => n.textContent.trim()).filter(Boolean).join(" ");
  return [root, ...root.querySelectorAll("*:not([type=hidden])")].map(element => {
    const box = element.getBoundingClientRect(), style = getComputedStyle(element);
    return {tag: element.tagName, text: own(element),
      box: [box.x - from.x, box.y - from.y, box.width, box.height].map(Math.round),
      ...Object.fromEntries(names.map(name => [name, style[name]]))};
  });
}"""
HEADER = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
BANNER, PAGE = "section.consent", "main div[lang]:has(> h1)"
DESK = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}

type NewContext = Callable[..., BrowserContext]


def refuse(page: Page) -> None:
    page.get_by_role("button", name="Reject all").click()


def opt_out(page: Page) -> None:
    page.get_by_role("button", name="Opt out of sale").click()


def to_settings(page: Page) -> None:
    sign_in(page)
    page.goto("/settings/user/cookie-preferences/?as=FR")


def still(_page: Page) -> None:
    """Look at the page that was opened."""


SURFACES = {
    "banner": ("/?as=FR", still, BANNER, reject),
    "preferences": ("/cookie-preferences/?as=FR", still, PAGE, refuse),
    "settings": ("/?as=FR", to_settings, PAGE, refuse),
    "opt_out": ("/privacy-choices/?as=US-CA", still, PAGE, opt_out),
}


def looks(page: Page, part: str) -> list[dict[str, object]]:
    return page.locator(part).evaluate(LOOKS)


def kept(surface: str) -> str:
    notice = Notice.objects.get(document__surface=surface)
    return notices.standalone(notice.document, notices.assets_of(notice.document))


@pytest.mark.parametrize("device", [DESK, PHONE], ids=["desk", "phone-dark"])
@pytest.mark.parametrize("surface", SURFACES)
def test_a_kept_notice_opens_without_network_as_it_looked(
    new_context: NewContext,
    tmp_path: Path,
    surface: str,
    device: dict[str, object],
) -> None:
    address, go, part, answer = SURFACES[surface]
    page = visit(new_context(**device), address)
    go(page)
    live = looks(page, part)
    answer(page)
    file = tmp_path / "notice.html"
    file.write_text(kept(surface))
    alone = new_context(**device, offline=True)
    asked_for: list[str] = []
    alone.on("request", lambda request: asked_for.append(request.url))
    opened = visit(alone, file.as_uri())
    assert len(live) > 10
    assert looks(opened, part) == live
    assert [url for url in asked_for if not url.startswith("data:")] == [file.as_uri()]


@pytest.mark.parametrize("surface", SURFACES)
def test_a_served_notice_looks_the_same_under_the_strictest_policy(
    new_context: NewContext, surface: str
) -> None:
    address, go, part, answer = SURFACES[surface]
    page = visit(new_context(**DESK), address)
    go(page)
    live = looks(page, part)
    answer(page)
    text = kept(surface)

    def serve(route: Route) -> None:
        headers = {"Content-Security-Policy": HEADER, "Content-Type": "text/html"}
        route.fulfill(body=text, headers=headers)

    shown = new_context(**DESK)
    shown.route("**/*", serve)
    assert looks(visit(shown, "/receipts/0/notice/"), part) == live


def test_the_controls_of_a_kept_notice_do_nothing(
    new_context: NewContext, tmp_path: Path
) -> None:
    reject(visit(new_context()))
    file = tmp_path / "notice.html"
    file.write_text(kept("banner"))
    page = visit(new_context(offline=True), file.as_uri())
    for control in page.locator(f"{BANNER} :is(a, button)").all():
        control.click()
        assert page.url.partition("#")[0] == file.as_uri()
    page.get_by_role("button").first.press("Enter")
    assert page.url.partition("#")[0] == file.as_uri()
