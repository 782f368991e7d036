"""The client script: nothing runs that was not allowed, and what was allowed runs once.

On pages of the server's own making (`/shop/`), on pages from a shared cache
(`/cached/`), and on pages of another site altogether.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from threading import Thread
from typing import Any

import pytest
from django.urls import clear_url_caches
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from consent import publication
from consent.management.demo_site import POLICY
from consent.models import Content, Entry, Site
from tests.browser.conftest import Console
from tests.browser.steps import accept, banner, ready, reject, sign_in, until
from tests.browser.test_accessibility import NO_WIDER, violations

pytestmark = pytest.mark.usefixtures("shop")
MODES = pytest.mark.parametrize("path", ["/shop/", "/cached/"])
IN_PLACE = ".consent-placeholder button, .consent-foot a"
SIZES = ((1280, 800), (320, 568))
NOTHING = "{functional: false, analytics: false, marketing: false}"
ADS = ("storage", "user_data", "personalization")
NEW = ("counter.js", "adverts.js")
SHIFTS = """() => new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => list.getEntries().forEach(one => sum += one.value))
    .observe({type: "layout-shift", buffered: true});
  setTimeout(() => done(sum), 400);
})"""
TOLD = "window.dataLayer.map(one => one.event ? one : [...one])"


def ran(page: Page) -> list[str]:
    return page.evaluate("window.ran ?? []")


def updates(page: Page) -> list[Any]:
    told = page.evaluate(TOLD)
    return [one for one in told if isinstance(one, list) and one[1] == "update"]


def names(context: BrowserContext) -> set[str]:
    return {cookie["name"] for cookie in context.cookies()}


# --- before an answer ----------------------------------------------------------------


@MODES
def test_before_an_answer_nothing_runs_and_nothing_is_stored(
    context: BrowserContext, path: str
) -> None:
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    ready(page, path)
    expect(banner(page)).to_be_visible()
    page.mouse.wheel(0, 3000)
    page.keyboard.press("Escape")
    page.wait_for_timeout(500)
    assert ran(page) == []
    assert not any("/gated/" in url for url in asked)
    assert len({url.split("/")[2] for url in asked if url.startswith("http")}) == 1
    assert context.cookies() == []
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert page.evaluate("indexedDB.databases().then(all => all.length)") == 0


@MODES
def test_the_page_keeps_still_while_the_banner_comes(page: Page, path: str) -> None:
    for address in (path, f"{path}?edge=top", f"{path}#middle"):
        page.goto("about:blank")
        ready(page, address)
        expect(banner(page)).to_be_in_viewport()
        assert page.evaluate(SHIFTS) == 0, address


def test_what_a_pinned_banner_covers_can_be_scrolled_into_view(page: Page) -> None:
    ready(page, "/cached/?edge=top")
    expect(banner(page)).to_be_visible()
    page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
    edge = banner(page).bounding_box()
    assert page.locator("h1").bounding_box()["y"] >= edge["y"] + edge["height"]
    page.goto("about:blank")
    ready(page, "/cached/")
    expect(banner(page)).to_be_visible()
    page.evaluate("scrollTo({top: 1e6, behavior: 'instant'})")
    foot = page.get_by_role("contentinfo").bounding_box()
    assert foot["y"] + foot["height"] <= banner(page).bounding_box()["y"]
    link = page.get_by_role("contentinfo").get_by_role("link").first
    link.focus()
    box = link.bounding_box()
    assert box["y"] + box["height"] <= banner(page).bounding_box()["y"]


def test_a_banner_that_may_not_stand_at_the_bottom_alone_stands_at_the_top(
    page: Page, demo: Site
) -> None:
    override = {"place": "*", "by": "counsel", "reason": "to be seen"}
    demo.rule_overrides = [{**override, "placement": "no_bottom"}]
    demo.save()
    publication.forget()
    ready(page, "/cached/?edge=bottom")
    expect(banner(page)).to_have_class("consent pinned top")


# --- after it ------------------------------------------------------------------------


@MODES
def test_what_is_allowed_runs_once_and_never_after_a_refusal(
    context: BrowserContext, path: str
) -> None:
    page = ready(context.new_page(), path)
    accept(page)
    until(page, "window.ran?.length == 2")
    film = page.frame_locator("iframe")
    expect(film.get_by_text("The film plays.")).to_be_visible()
    expect(page.locator("#chat")).to_be_visible()
    assert page.locator("img[src]").count() == 1
    assert sorted(ran(page)) == sorted(NEW)
    page.wait_for_timeout(300)
    assert sorted(ran(page)) == sorted(NEW)
    assert page.locator("[type='text/plain']").count() == 0
    expect(page.get_by_role("status")).to_contain_text("You’ve accepted")

    refused = ready(context.browser.new_context(base_url=base(page)).new_page(), path)
    reject(refused)
    expect(refused.get_by_role("status")).to_contain_text("You’ve rejected")
    ready(refused, path)
    refused.wait_for_timeout(300)
    assert ran(refused) == []
    expect(banner(refused)).to_have_count(0)
    assert refused.locator("iframe[src], img[src]").count() == 0
    refused.context.close()


def base(page: Page) -> str:
    return "/".join(page.url.split("/")[:3])


@MODES
def test_the_confirmation_has_the_focus_the_receipt_and_a_button_that_hides_it(
    page: Page, path: str
) -> None:
    ready(page, path)
    accept(page)
    message = page.locator(".consent.saved")
    expect(message).to_be_focused()
    number = message.locator("code").inner_text()
    assert Entry.objects.filter(id=number).exists()
    message.get_by_role("link", name="Hide this message").click()
    expect(message).to_have_count(0)
    page.reload()
    expect(banner(page)).to_have_count(0)


@MODES
def test_a_choice_names_the_notice_that_was_on_the_screen(
    page: Page, path: str
) -> None:
    ready(page, path)
    shown = page.evaluate("consent.get().notice.hash")
    reject(page)
    page.locator(".consent.saved").wait_for()
    record = json.loads(Content.objects.get(kind="consent").canonical)
    assert record["notice"] == {"hash": shown, "language": "en"}
    assert record["surface"] == "banner"


def ask_each(site: Site) -> None:
    """Publish that marketing is asked about service by service."""
    purposes = {**POLICY["purposes"], "marketing": {"ask": "service"}}
    policy = {**POLICY, "purposes": purposes}
    publication.publish(site=site, document=policy, at=datetime.now(UTC), by=None)


@MODES
def test_where_services_are_asked_one_by_one_one_is_allowed_in_its_place_and_no_other(
    page: Page, path: str, demo: Site
) -> None:
    ask_each(demo)
    ready(page, path)
    page.get_by_role("button", name="Allow Video player").click()
    film = page.frame_locator("iframe")
    expect(film.get_by_text("The film plays.")).to_be_visible()
    assert page.evaluate("consent.get('marketing', 'video')") is True
    assert page.evaluate("consent.get('marketing', 'adverts')") is False
    # As a whole the purpose was not allowed, so what names no service stays off.
    assert page.evaluate("consent.get('marketing')") is False
    assert ran(page) == []
    assert "granted" not in {updates(page)[-1][2][f"ad_{n}"] for n in ADS}
    # What was left open is still asked.
    page.reload()
    expect(banner(page)).to_be_visible()


@MODES
def test_a_box_names_what_its_button_allows(page: Page, path: str) -> None:
    ready(page, path)
    box = page.locator(".consent-placeholder").filter(has_text="Video player")
    box.get_by_role("button", name="Allow Marketing").click()
    until(page, "window.ran?.length == 1")
    assert ran(page) == ["adverts.js"]
    assert page.evaluate("consent.get('analytics')") is False


@MODES
def test_withdrawing_stops_what_ran_and_deletes_the_declared_cookies(
    context: BrowserContext, path: str
) -> None:
    page = ready(context.new_page(), path)
    page.evaluate("document.cookie = 'own=1; path=/'")
    accept(page)
    until(page, "window.ran?.length == 2")
    assert {"crumbs", "vid_7", "_ads"} <= names(context)
    with page.expect_navigation():
        page.evaluate(
            "void consent.set({functional: false, analytics: false, marketing: false})"
        )
    page.evaluate("consent.ready.then(() => 0)")
    assert ran(page) == []
    assert names(context) & {"crumbs", "vid_7", "_ads"} == set()
    assert {"own", "consent"} <= names(context)


@MODES
def test_a_second_tab_follows_the_first(context: BrowserContext, path: str) -> None:
    first = ready(context.new_page(), path)
    second = ready(context.new_page(), path)
    expect(banner(second)).to_be_visible()
    accept(first)
    until(second, "window.ran?.length == 2")
    expect(banner(second)).to_have_count(0)
    with second.expect_navigation():
        first.goto("/cookie-preferences/?return_to=/")
        first.get_by_role("button", name="Withdraw all").click()
    second.evaluate("consent.ready.then(() => 0)")
    assert ran(second) == []


@MODES
def test_other_tools_are_told_first_and_once_for_each_choice(
    page: Page, path: str
) -> None:
    ready(page, path)
    first = page.evaluate(TOLD)[0]
    assert first[:2] == ["consent", "default"]
    assert first[2]["ad_storage"] == first[2]["analytics_storage"] == "denied"
    before = len(updates(page))
    assert before == (0 if path == "/shop/" else 1)
    accept(page)
    until(page, "window.ran?.length == 2")
    assert len(updates(page)) == before + 1
    granted = updates(page)[-1][2]
    assert set(granted.values()) == {"granted"}
    assert page.evaluate("uetq").count("update") == before + 1
    clarity = page.evaluate("clarity.q.map(one => [...one])")
    assert clarity[-1] == [
        "consentv2",
        {"ad_Storage": "granted", "analytics_Storage": "granted"},
    ]
    events = [one["event"] for one in page.evaluate(TOLD) if isinstance(one, dict)]
    assert events == ["consent_default", *["consent_update"] * (before + 1)]


@MODES
def test_what_programs_of_a_page_ask_and_say(page: Page, path: str) -> None:
    ready(page, path)
    page.evaluate(
        "window.heard = []; void consent.onChange(now => heard.push(now.purposes))"
    )
    page.evaluate("consent.set({analytics: true})")
    assert page.evaluate("heard.map(one => one.analytics)") == [True]
    assert page.evaluate("consent.get('analytics')") is True
    assert page.evaluate("consent.get('marketing')") is False
    assert page.evaluate("consent.get('no such purpose')") is False
    assert page.evaluate("consent.get('necessary')") is True
    stop = "window.stop = consent.onChange(() => heard.push('late')); window.stop()"
    page.evaluate(stop)
    page.evaluate("consent.set({functional: true})")
    assert page.evaluate("heard.length") == 2
    record = json.loads(Content.objects.filter(kind="consent").latest("time").canonical)
    assert record["surface"] == "api"
    with page.expect_navigation():
        page.evaluate("consent.open()")
    expect(page.get_by_role("heading", level=1)).to_have_text("Cookie Preferences")


# --- signals -------------------------------------------------------------------------

PROPERTY = "Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})"


@MODES
def test_a_signal_of_the_page_alone_counts_like_the_header(
    context: BrowserContext, path: str
) -> None:
    context.add_init_script(PROPERTY)
    page = ready(context.new_page(), path)
    until(page, "consent.get().signals.gpc")
    expect(banner(page)).to_contain_text("Your browser’s signal is honored")
    accept(page)
    until(page, "window.ran?.length == 1")
    assert ran(page) == ["counter.js"]
    assert page.evaluate("consent.get('marketing')") is False


def test_the_signal_of_somebody_signed_in_reaches_the_account_once(
    new_context: Callable[..., BrowserContext], settings: Any
) -> None:
    settings.ROOT_URLCONF = "settings.urls"
    clear_url_caches()
    context = new_context(extra_http_headers={"Sec-GPC": "1"})
    page = context.new_page()
    page.goto("/?as=FR")
    sign_in(page)
    page.goto("/")
    page.wait_for_timeout(500)
    page.goto("/")
    page.wait_for_timeout(300)
    events = list(
        Content.objects.filter(kind="consent").values_list("event", "surface")
    )
    assert events == [("opted_out", "signal")]


# --- when the backend does not answer ------------------------------------------------


def broken(route: Route) -> None:
    route.fulfill(status=503, body="{}")


def test_without_an_answer_the_page_works_and_nothing_optional_runs(
    context: BrowserContext, console: Console
) -> None:
    page = context.new_page()
    page.route("**/api/v1/**", lambda route: route.abort())
    ready(page, "/cached/")
    assert ran(page) == []
    assert page.evaluate("consent.get('analytics')") is False
    assert page.evaluate("consent.get()") is None
    expect(page.get_by_role("heading", name="Shop")).to_be_visible()
    expect(
        page.get_by_role("contentinfo").get_by_role("link", name="Cookie Preferences")
    ).to_be_visible()
    console.complaints.clear()


@MODES
def test_a_grant_that_is_not_kept_turns_nothing_on_and_says_so(
    page: Page, path: str, console: Console
) -> None:
    ready(page, path)
    page.route("**/api/v1/choices*", broken)
    accept(page)
    expect(banner(page).get_by_role("alert")).to_contain_text("could not be saved")
    assert ran(page) == []
    page.unroute("**/api/v1/choices*")
    accept(page)
    until(page, "window.ran?.length == 2")
    console.complaints.clear()


@MODES
def test_a_refusal_that_is_not_kept_counts_at_once_and_is_sent_again(
    page: Page, path: str, console: Console
) -> None:
    ready(page, path)
    tries: list[str] = []

    def fail(route: Route) -> None:
        tries.append(route.request.post_data or "")
        broken(route)

    page.route("**/api/v1/choices*", fail)
    reject(page)
    expect(banner(page)).to_have_count(0)
    page.wait_for_timeout(800)
    assert len(tries) >= 2  # it tries again by itself
    page.unroute("**/api/v1/choices*")
    with page.expect_response("**/api/v1/choices*") as answer:
        ready(page, path)
    assert answer.value.status == 201
    until(page, "localStorage.length == 0")
    event = Content.objects.filter(kind="consent").latest("time").event
    assert event == "refused"
    console.complaints.clear()


@MODES
def test_a_withdrawal_that_is_not_kept_holds_without_loading_the_page_for_ever(
    page: Page, path: str, console: Console
) -> None:
    ready(page, path)
    accept(page)
    until(page, "window.ran?.length == 2")
    loads: list[str] = []
    page.on("load", lambda _: loads.append(page.url))
    page.route("**/api/v1/choices*", broken)
    page.evaluate(f"void consent.set({NOTHING}).catch(() => 0)")
    page.wait_for_timeout(2500)
    assert len(loads) == 1
    assert ran(page) == []
    assert page.evaluate("consent.get('marketing')") is False
    console.complaints.clear()


@MODES
def test_of_a_mixed_answer_that_is_not_kept_the_refusals_count(
    page: Page, path: str, console: Console
) -> None:
    ready(page, path)
    accept(page)
    until(page, "window.ran?.length == 2")
    page.route("**/api/v1/choices*", broken)
    mixed = "{analytics: true, marketing: false}"
    with page.expect_navigation():
        page.evaluate(f"void consent.set({mixed}).catch(() => 0)")
    page.evaluate("consent.ready.then(() => 0)")
    assert page.evaluate("consent.get('marketing')") is False
    page.unroute("**/api/v1/choices*")
    until(page, "localStorage.length == 0")
    last = Content.objects.filter(kind="consent").latest("time")
    assert json.loads(last.canonical)["purposes"]["marketing"] is False
    assert page.evaluate("consent.get('analytics')") is True
    console.complaints.clear()


@MODES
def test_a_later_yes_is_not_undone_by_an_older_refusal_that_waits(
    page: Page, path: str, console: Console
) -> None:
    ready(page, path)
    page.route("**/api/v1/choices*", broken)
    page.evaluate(f"void consent.set({NOTHING}).catch(() => 0)")
    page.wait_for_timeout(300)
    page.unroute("**/api/v1/choices*")
    page.evaluate("consent.set({analytics: true})")
    page.wait_for_timeout(3000)
    assert page.evaluate("consent.get('analytics')") is True
    assert page.evaluate("consent.get('marketing')") is False
    assert page.evaluate("localStorage.length") == 0
    console.complaints.clear()


@pytest.mark.parametrize("status", [403, 404, 408, 429, 500])
def test_whatever_answers_a_refusal_it_counts(
    page: Page, status: int, console: Console
) -> None:
    ready(page, "/cached/")
    accept(page)
    until(page, "window.ran?.length == 2")
    page.route("**/api/v1/choices*", lambda route: route.fulfill(status=status))
    with page.expect_navigation():
        page.evaluate(f"void consent.set({NOTHING}).catch(() => 0)")
    page.evaluate("consent.ready.then(() => 0)")
    page.wait_for_timeout(800)  # and after it was tried again
    assert ran(page) == []
    assert page.evaluate("consent.get('marketing')") is False
    console.complaints.clear()


def test_a_banner_about_one_purpose_refuses_and_ends_nothing_else(
    page: Page, demo: Site, console: Console
) -> None:
    ready(page, "/cached/")
    page.evaluate("consent.set({functional: true, marketing: true, analytics: false})")
    chat = next(one for one in POLICY["services"] if one["slug"] == "chat")
    more = [*POLICY["services"], {**chat, "slug": "chat2", "name": "Second chat"}]
    policy = {**POLICY, "services": more}
    publication.publish(site=demo, document=policy, at=datetime.now(UTC), by=None)
    ready(page, "/cached/")
    until(page, "consent.get().notice")
    assert page.evaluate("consent.get().notice.asks") == ["functional"]
    page.route("**/api/v1/choices*", broken)
    accept(page)
    expect(banner(page).get_by_role("alert")).to_be_visible()
    assert page.evaluate("localStorage.length") == 0  # nobody refused anything
    assert page.evaluate("consent.get('marketing')") is True
    page.evaluate("void consent.set({marketing: false}).catch(() => 0)")
    until(page, "localStorage.length == 1")
    page.unroute("**/api/v1/choices*")
    ready(page, "/cached/")
    accept(page)
    until(page, "consent.get('functional')")
    until(page, "localStorage.length == 0")
    assert page.evaluate("consent.get('marketing')") is False
    last = page.evaluate("consent.get().choice.purposes")
    assert (last["functional"], last["marketing"]) == (True, False)
    console.complaints.clear()


def test_a_refusal_that_waits_its_turn_outlives_the_page(
    page: Page, console: Console
) -> None:
    ready(page, "/cached/")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/v1/choices*", hold)
    page.evaluate("void consent.set({analytics: true}).catch(() => 0)")
    until_true(page, lambda: bool(held))
    page.evaluate("void consent.set({analytics: false}).catch(() => 0)")
    until(page, "localStorage.length == 1")
    held[0].continue_()
    page.unroute("**/api/v1/choices*")
    ready(page, "/cached/")
    until(page, "localStorage.length == 0")
    assert page.evaluate("consent.get('analytics')") is False
    console.complaints.clear()


def test_other_tabs_follow_a_refusal_though_nobody_answers(
    context: BrowserContext, console: Console
) -> None:
    first = ready(context.new_page(), "/cached/")
    accept(first)
    until(first, "window.ran?.length == 2")
    second = ready(context.new_page(), "/cached/")
    until(second, "window.ran?.length == 2")
    context.route("**/api/v1/**", broken)
    first.evaluate(f"void consent.set({NOTHING}).catch(() => 0)")
    until(second, "!consent.get('marketing') && !window.ran")
    assert second.locator("iframe[src]").count() == 0
    first.close()  # both go on trying, and the browser complains each time
    second.close()
    console.complaints.clear()


def test_an_answer_that_comes_late_does_not_undo_a_refusal(page: Page) -> None:
    held: list[Route] = []
    ready(page, "/cached/")
    accept(page)
    until(page, "window.ran?.length == 2")

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/v1/decision*", hold)
    again = "new PageTransitionEvent('pageshow', {persisted: true})"
    page.evaluate(f"dispatchEvent({again})")
    until_true(page, lambda: bool(held))
    late = held[0].fetch()
    page.unroute("**/api/v1/decision*")
    with page.expect_navigation():
        page.evaluate(f"void consent.set({NOTHING})")
    page.evaluate("consent.ready.then(() => 0)")
    assert late.status == 200
    assert ran(page) == []
    assert page.evaluate("consent.get('marketing')") is False


@MODES
def test_what_fails_in_the_pages_own_code_does_not_keep_a_withdrawal_from_counting(
    page: Page, path: str, console: Console
) -> None:
    ready(page, path)
    accept(page)
    until(page, "window.ran?.length == 2")
    page.evaluate("void consent.onChange(() => { throw Error('of the page') })")
    page.evaluate("void (Storage.prototype.setItem = () => { throw Error() })")
    with page.expect_navigation():
        page.evaluate(f"void consent.set({NOTHING})")
    page.evaluate("consent.ready.then(() => 0)")
    assert ran(page) == []
    console.complaints.clear()


def test_after_a_publication_the_new_banner_is_shown_and_can_be_answered(
    page: Page, demo: Site, console: Console
) -> None:
    ready(page, "/cached/")
    ask_each(demo)
    accept(page)
    expect(banner(page).get_by_role("alert")).to_contain_text("could not be saved")
    assert ran(page) == []
    accept(page)
    until(page, "window.ran?.length == 2")
    console.complaints.clear()


def test_a_form_of_the_page_with_our_class_is_left_alone(page: Page) -> None:
    ready(page, "/cached/")
    page.locator(".consent").wait_for()
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', `<form class='consent' "
        "action='/shop/'><button name='answer' value='accept'>I agree</button></form>`)"
    )
    with page.expect_navigation(url="**/shop/?answer=accept"):
        page.get_by_role("button", name="I agree").click()
    assert not Content.objects.filter(kind="consent").exists()


@pytest.mark.parametrize(
    "crippled",
    [
        "delete window.BroadcastChannel; window.BroadcastChannel = undefined",
        "Object.defineProperty(window, 'localStorage', {get() { throw Error() }})",
    ],
)
@MODES
def test_a_browser_that_lacks_something_still_holds_back_and_answers(
    context: BrowserContext, path: str, crippled: str, console: Console
) -> None:
    context.add_init_script(crippled)
    page = ready(context.new_page(), path)
    assert page.evaluate(TOLD)[0][:2] == ["consent", "default"]
    assert ran(page) == []
    accept(page)
    until(page, "window.ran?.length == 2")
    console.complaints.clear()


def test_names_of_an_objects_own_are_no_purposes(page: Page) -> None:
    ready(page, "/cached/")
    for name in ("constructor", "toString", "__proto__"):
        assert page.evaluate("name => consent.get(name)", name) is False
        assert page.evaluate("name => consent.get('marketing', name)", name) is False
    assert page.evaluate("consent.get('analytics', 'chat')") is False


def test_allowing_in_place_never_goes_over_the_signal_unseen(
    context: BrowserContext,
) -> None:
    context.add_init_script(PROPERTY)
    page = ready(context.new_page(), "/cached/")
    until(page, "consent.get().signals.applied.length")
    with page.expect_navigation():
        page.get_by_role("button", name="Allow Marketing").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cookie Preferences")
    assert not Content.objects.filter(kind="consent").exists()


def until_true(page: Page, condition: Callable[[], bool]) -> None:
    for _ in range(100):
        if condition():
            return
        page.wait_for_timeout(30)
    raise AssertionError("it never came true")


# --- pages of another site -----------------------------------------------------------


class Elsewhere(BaseHTTPRequestHandler):
    """Another company's web server, which knows nothing of us but two lines."""

    def __init__(self, *arguments: Any, script: str) -> None:
        self.script = script
        super().__init__(*arguments)

    def do_GET(self) -> None:
        page = (
            '<!doctype html><html lang="en"><head><title>Elsewhere</title>'
            f'<link rel="icon" href="data:,">{self.script}</head><body>'
            "<h1>Elsewhere</h1>"
            '<script type="text/plain" data-consent="analytics">window.ran = 1</script>'
            '<p>A page.</p><a href="#" data-consent-open>Cookie Preferences</a></body>'
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def elsewhere(live_server: Any, demo: Site) -> Iterator[str]:
    """The address of a page on another origin that the site lists."""
    ours = str(live_server).replace("127.0.0.1", "localhost")
    script = (
        f'<link rel="stylesheet" href="{ours}/consent.css">'
        f'<script src="{ours}/consent.js" data-site="default"></script>'
    )
    handler = partial(Elsewhere, script=script)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    demo.hosts = ["shop.example"]
    demo.allowed_origins = [address]
    demo.save()
    yield address
    server.shutdown()
    server.server_close()


def test_two_lines_of_html_are_enough_on_another_site(
    context: BrowserContext, elsewhere: str
) -> None:
    page = ready(context.new_page(), elsewhere)
    expect(banner(page)).to_be_visible()
    assert context.cookies() == []
    accept(page)
    until(page, "window.ran == 1")
    (cookie,) = context.cookies()
    assert (cookie["name"], cookie["domain"]) == ("consent", "127.0.0.1")
    page.get_by_role("link", name="Hide this message").click()
    ready(page, elsewhere)
    assert page.evaluate("window.ran") == 1
    expect(banner(page)).to_have_count(0)


def preferences(page: Page) -> Locator:
    return page.get_by_role("link", name="Cookie Preferences", exact=True)


def test_on_another_site_preferences_open_in_place_and_withdraw_in_two_clicks(
    context: BrowserContext, elsewhere: str
) -> None:
    page = ready(context.new_page(), elsewhere)
    accept(page)
    until(page, "window.ran == 1")
    preferences(page).click()
    with page.expect_navigation():
        page.get_by_role("button", name="Withdraw all").click()
    page.evaluate("consent.ready.then(() => 0)")
    assert page.evaluate("window.ran ?? 0") == 0
    preferences(page).click()
    question = page.get_by_role("group", name="Do you want to allow analytics cookies?")
    expect(question.get_by_label("No")).to_be_checked()
    question.get_by_label("Yes").check()
    page.get_by_role("button", name="Save preferences").click()
    until(page, "window.ran == 1")
    record = json.loads(Content.objects.filter(kind="consent").latest("time").canonical)
    assert record["surface"] == "preferences"
    assert record["purposes"] == {
        "functional": False,
        "analytics": True,
        "marketing": False,
    }


def test_in_place_enter_saves_what_was_picked_and_leaving_answers_nothing(
    context: BrowserContext, elsewhere: str
) -> None:
    page = ready(context.new_page(), elsewhere)
    preferences(page).click()
    page.get_by_role("link", name="Go back to where you were").click()
    expect(banner(page)).to_be_visible()
    assert not Content.objects.filter(kind="consent").exists()
    preferences(page).click()
    question = page.get_by_role("group", name="Do you want to allow analytics cookies?")
    question.get_by_label("No").check()
    page.keyboard.press("Enter")
    page.locator(".consent.saved").wait_for()
    record = json.loads(Content.objects.get(kind="consent").canonical)
    assert set(record["purposes"].values()) == {False}
    assert page.evaluate("window.ran ?? 0") == 0


def test_an_origin_that_no_site_lists_gets_nothing(
    context: BrowserContext, elsewhere: str, demo: Site, console: Console
) -> None:
    demo.allowed_origins = []
    demo.save()
    page = ready(context.new_page(), elsewhere)
    assert page.evaluate("consent.get()") is None
    expect(banner(page)).to_have_count(0)
    console.complaints.clear()


# --- for everybody -------------------------------------------------------------------


@pytest.mark.parametrize("rtl", [False, True])
@pytest.mark.parametrize("path", ["/shop/", "/cached/", "/cached/?edge=top"])
def test_what_the_script_shows_breaks_no_rule_of_wcag(
    page: Page, path: str, *, rtl: bool
) -> None:
    lang = "ar" if rtl else "en"
    ready(page, f"{path}{'&' if '?' in path else '?'}lang={lang}")
    page.locator(".consent").wait_for()
    for scheme, (width, height) in product(("light", "dark"), SIZES):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": height})
        assert violations(page) == [], (scheme, width)
        assert page.evaluate(NO_WIDER), width
        for target in page.locator(f".consent :is(button, .acts a), {IN_PLACE}").all():
            assert target.bounding_box()["height"] >= 44
    page.locator(".consent button[value=accept]").click()
    page.locator(".consent.saved").wait_for()
    assert violations(page) == []


def test_preferences_in_place_break_no_rule_of_wcag(page: Page, elsewhere: str) -> None:
    ready(page, elsewhere)
    preferences(page).click()
    page.locator(".consent.choose").wait_for()
    expect(page.locator(".consent.choose")).to_be_focused()
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert violations(page) == []
        assert page.evaluate(NO_WIDER)


@MODES
def test_the_keyboard_alone_answers_chooses_and_withdraws(
    page: Page, path: str
) -> None:
    ready(page, path)
    page.locator(".consent").wait_for()
    until(page, "document.activeElement === document.body")  # no focus was taken
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.value") == "reject"
    page.keyboard.press("Enter")
    expect(page.locator(".consent.saved")).to_be_focused()
    page.keyboard.press("Tab")
    assert (
        page.evaluate("document.activeElement.textContent")
        .strip()
        .startswith("change your cookie preferences")
    )
    page.keyboard.press("Enter")
    page.wait_for_url("**/cookie-preferences/**")
    press_until(page, "document.activeElement.name === 'purpose-analytics'")
    page.keyboard.press("ArrowLeft")
    press_until(page, "document.activeElement.value === 'save'")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Your preferences are saved.")
    events = Content.objects.filter(kind="consent").order_by("time")
    assert [one.event for one in events] == ["refused", "partial"]
    press_until(page, "document.activeElement.textContent === 'Withdraw all'")
    page.keyboard.press("Enter")
    until(page, "document.querySelectorAll('[value=no]:checked').length === 3")


def press_until(page: Page, condition: str) -> None:
    """Go on with the Tab key alone."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(condition):
            return
    raise AssertionError(f"{condition} was not reached")


def test_four_hundred_percent_and_two_colours_leave_everything_usable(
    new_context: Callable[..., BrowserContext],
) -> None:
    page = new_context(viewport={"width": 320, "height": 256}, forced_colors="active")
    shown = ready(page.new_page(), "/cached/")
    shown.locator(".consent").wait_for()
    assert shown.evaluate(NO_WIDER)
    for button in shown.locator(".consent button").all():
        button.scroll_into_view_if_needed()
        expect(button).to_be_in_viewport()
        assert button.evaluate("one => getComputedStyle(one).borderTopWidth") == "2px"
    height = shown.locator(".consent").bounding_box()["height"]
    assert height <= 0.75 * 256


# --- languages -----------------------------------------------------------------------


@pytest.mark.parametrize(("lang", "word"), [("fr", "témoins"), ("ar", "ملفات")])
def test_a_cached_page_is_asked_in_its_own_language(
    page: Page, lang: str, word: str
) -> None:
    ready(page, f"/cached/?lang={lang}")
    shown = page.locator(".consent")
    expect(shown).to_have_attribute("lang", lang)
    assert page.evaluate("consent.get().language") == lang
    assert lang != "ar" or word in shown.inner_text()
