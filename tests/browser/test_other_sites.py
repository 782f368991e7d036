"""Pages of other sites: two lines of HTML, HTTPS, and third-party cookies blocked.

The product stands at `consent.vendor.test`; the pages are files of `www.shop.example`
(on the site's list), `www.inn.example` (another site's) and `other.example` (nobody's).
"""

import difflib
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import run
from typing import Any, Final

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from tests.browser.conftest import Console
from tests.browser.internet import (
    BEFORE,
    CONTROL,
    HANDED_ON,
    Browsers,
    Installation,
    Internet,
    after,
    new_browsers,
    ran,
    settled,
    two_lines,
    write,
)
from tests.browser.steps import accept, banner, ready, reject, until

VENDOR: Final = "consent.vendor.test"
SHOP: Final = "https://www.shop.example"
INN: Final = "https://www.inn.example"
OTHER: Final = "https://other.example"

# A policy of the page's own that allows nothing but its files and the backend's.
STRICT: Final = """add_header Content-Security-Policy
  "default-src 'self' https://consent.vendor.test; img-src 'self' data:";
"""


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("product") / "data"
    made = Installation(folder, [VENDOR, "shop.vendor.test"])
    made.prepare(
        [
            {
                "slug": "shop",
                "hosts": ["shop.vendor.test"],
                "allowed_origins": [SHOP],
            },
            {"slug": "inn", "hosts": ["nowhere.inn.example"], "allowed_origins": [INN]},
        ]
    )
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def internet(
    product: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Internet]:
    hosts = {
        VENDOR: HANDED_ON.format(path="", port=product.port) + CONTROL,
        "shop.vendor.test": HANDED_ON.format(path="", port=product.port),
        "www.shop.example": STRICT,
        "www.inn.example": "",
        "other.example": "",
    }
    made = Internet(tmp_path_factory.mktemp("internet"), hosts)
    # Every page names the shop's site, whosever it is.
    for host in list(hosts)[2:]:
        write(made, host, after(two_lines(f"https://{VENDOR}", "shop")))
    with made.served():
        yield made


@pytest.fixture
def browsers(
    playwright: Playwright, internet: Internet, tmp_path: Path, console: Console
) -> Iterator[Browsers]:
    with new_browsers(playwright, internet, tmp_path, console) as new:
        yield new


@pytest.fixture
def context(browsers: Browsers) -> BrowserContext:
    return browsers()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def records(product: Installation) -> Callable[[], list[dict[str, Any]]]:
    """The shop's records of this test alone."""
    before = len(product.records("shop"))
    return lambda: product.records("shop")[before:]


def asked_for(page: Page) -> list[str]:
    """The addresses that a page asks for from here on."""
    found: list[str] = []
    page.on("request", lambda request: found.append(request.url))
    return found


# --- what the proof rests on ----------------------------------------------------------


@pytest.mark.parametrize("blocking", [True, False])
def test_third_party_cookies_are_blocked_here_and_would_be_sent_otherwise(
    browsers: Browsers, blocking: bool
) -> None:
    context = browsers(blocking=blocking)
    page = context.new_page()
    page.goto(f"{SHOP}/")
    fetch = f"fetch('https://{VENDOR}/control/', {{credentials: 'include'}})"
    page.evaluate(f"{fetch}.then(answer => answer.text())")
    sent = page.evaluate(f"{fetch}.then(answer => answer.text())")
    assert sent == ("" if blocking else "control=1")
    assert len(context.cookies()) == (0 if blocking else 1)


def test_two_lines_are_two_lines() -> None:
    page = after(two_lines(f"https://{VENDOR}", "shop")).splitlines()
    added = [
        line[2:]
        for line in difflib.ndiff(BEFORE.splitlines(), page)
        if line.startswith("+ ") and "data-consent=" not in line
    ]
    assert added == [
        '<link rel="stylesheet" href="https://consent.vendor.test/consent.css">',
        (
            '<script src="https://consent.vendor.test/consent.js" data-site="shop">'
            "</script>"
        ),
    ]
    assert len(page) == len(BEFORE.splitlines()) + 2


# --- a page on the site's list --------------------------------------------------------


def test_before_an_answer_the_banner_is_shown_and_nothing_runs_or_is_stored(
    context: BrowserContext, page: Page, records: Any
) -> None:
    asked = asked_for(page)
    ready(page, f"{SHOP}/")
    expect(banner(page)).to_be_visible()
    assert banner(page).evaluate("one => getComputedStyle(one).position") == "fixed"
    settled(page)
    assert ran(page) == []
    assert not any("counter" in url or "adverts" in url for url in asked)
    assert context.cookies() == []
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert records() == []


def test_a_yes_is_kept_in_the_ledger_and_runs_each_script_exactly_once(
    context: BrowserContext,
    page: Page,
    records: Any,
    product: Installation,
    tmp_path: Path,
) -> None:
    ready(page, f"{SHOP}/")
    asked = asked_for(page)
    accept(page)
    until(page, "window.ran?.length == 2")
    settled(page)
    assert sorted(ran(page)) == ["adverts.js", "counter.js"]
    assert asked.count(f"{SHOP}/counter.js") == 1
    number = page.locator(".consent.saved code").inner_text()
    [record] = records()
    assert (record["id"], record["event"], record["surface"]) == (
        number,
        "granted",
        "banner",
    )
    assert verified(product, number, tmp_path)
    # The only cookie is one of the page's own, written by the script.
    [cookie] = context.cookies()
    assert (cookie["name"], cookie["domain"]) == ("consent", "www.shop.example")
    assert (cookie["secure"], cookie["sameSite"]) == (True, "Lax")


def verified(product: Installation, number: str, folder: Path) -> bool:
    """Whether somebody else, with Python alone, finds a receipt to be good."""
    pack = folder / "case.zip"
    product.manage(
        "evidence", "--site", "shop", "--receipt", number, "--out", str(pack)
    )
    with zipfile.ZipFile(pack) as files:
        files.extract("verify_evidence.py", folder)
    command = [sys.executable, "-I", "verify_evidence.py", str(pack)]
    done = run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return number in done.stdout


def test_what_was_answered_holds_on_every_page_of_the_host_and_is_not_asked_again(
    page: Page, records: Any
) -> None:
    ready(page, f"{SHOP}/")
    accept(page)
    until(page, "window.ran?.length == 2")
    for address in ("/", "/second.html", "/"):
        ready(page, SHOP + address)
        settled(page)
        assert sorted(ran(page)) == ["adverts.js", "counter.js"]
        expect(banner(page)).to_have_count(0)
    assert len(records()) == 1


def test_after_a_no_nothing_ever_runs_and_nobody_is_asked_again(
    page: Page, records: Any
) -> None:
    asked = asked_for(page)
    ready(page, f"{SHOP}/")
    reject(page)
    expect(page.get_by_role("status")).to_contain_text("You’ve rejected")
    for address in ("/", "/second.html"):
        settled(ready(page, SHOP + address))
        assert ran(page) == []
        expect(banner(page)).to_have_count(0)
    assert not any("counter" in url or "adverts" in url for url in asked)
    assert [record["event"] for record in records()] == ["refused"]


def open_preferences(page: Page) -> None:
    page.evaluate("consent.open()")
    page.locator(".consent.choose").wait_for()


def test_withdrawing_on_one_page_counts_on_the_next(page: Page, records: Any) -> None:
    ready(page, f"{SHOP}/")
    accept(page)
    until(page, "window.ran?.length == 2")
    ready(page, f"{SHOP}/second.html")
    open_preferences(page)
    with page.expect_navigation():
        page.get_by_role("button", name="Withdraw all").click()
    for address in ("/second.html", "/"):
        settled(ready(page, SHOP + address))
        assert ran(page) == []
        expect(banner(page)).to_have_count(0)
    assert [record["event"] for record in records()] == ["granted", "withdrawn"]


def test_links_of_the_banner_lead_to_where_they_find_something(page: Page) -> None:
    ready(page, f"{SHOP}/")
    accept(page)
    number = page.locator(".consent.saved code").inner_text()
    receipt = page.get_by_role("link", name=number).get_attribute("href")
    assert receipt == f"https://shop.vendor.test/receipts/{number}/"
    # The page's choice is the page's own: what changes it opens in place.
    page.get_by_role("link", name="change your cookie preferences").click()
    page.locator(".consent.choose").wait_for()
    assert page.url == f"{SHOP}/"
    page.goto(receipt)
    expect(page.get_by_role("main")).to_contain_text(number)


def test_the_signal_of_the_browser_turns_marketing_off(
    browsers: Browsers, records: Any
) -> None:
    context = browsers(extra_http_headers={"Sec-GPC": "1"})
    context.add_init_script(
        "Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})"
    )
    page = ready(context.new_page(), f"{SHOP}/")
    expect(banner(page)).to_contain_text("Your browser’s signal is honored")
    accept(page)
    until(page, "window.ran?.length == 1")
    settled(page)
    assert ran(page) == ["counter.js"]
    [record] = records()
    assert record["signals"]["gpc"] is True
    assert record["purposes"]["marketing"] is False


def test_the_signal_of_the_page_alone_counts_too(browsers: Browsers) -> None:
    context = browsers()
    context.add_init_script(
        "Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})"
    )
    page = ready(context.new_page(), f"{SHOP}/")
    accept(page)
    until(page, "window.ran?.length == 1")
    assert ran(page) == ["counter.js"]


# --- while the backend is down --------------------------------------------------------


def test_a_no_that_reaches_nobody_counts_at_once_and_is_delivered_later(
    page: Page, records: Any, product: Installation, console: Console
) -> None:
    ready(page, f"{SHOP}/")
    product.stop()
    try:
        reject(page)
        until(page, "localStorage.getItem('consent-unsent')")
        expect(banner(page)).to_have_count(0)
        settled(ready(page, f"{SHOP}/second.html"))
        assert ran(page) == []
        assert records() == []
    finally:
        product.start()
    ready(page, f"{SHOP}/")
    until(page, "!localStorage.getItem('consent-unsent')")
    assert ran(page) == []
    [record] = records()
    assert record["event"] == "refused"
    settled(ready(page, f"{SHOP}/"))
    expect(banner(page)).to_have_count(0)
    console.complaints.clear()


def test_a_withdrawal_that_reaches_nobody_ends_what_ran(
    page: Page, records: Any, product: Installation, console: Console
) -> None:
    ready(page, f"{SHOP}/")
    accept(page)
    until(page, "window.ran?.length == 2")
    open_preferences(page)
    product.stop()
    try:
        with page.expect_navigation():
            page.get_by_role("button", name="Withdraw all").click()
        settled(page)
        assert ran(page) == []
    finally:
        product.start()
    settled(ready(page, f"{SHOP}/second.html"))
    assert ran(page) == []
    until(page, "!localStorage.getItem('consent-unsent')")
    assert [one["event"] for one in records()] == ["granted", "withdrawn"]
    console.complaints.clear()


def test_a_yes_that_reaches_nobody_turns_nothing_on(
    page: Page,
    context: BrowserContext,
    records: Any,
    product: Installation,
    console: Console,
) -> None:
    ready(page, f"{SHOP}/")
    product.stop()
    try:
        accept(page)
        expect(banner(page).get_by_role("alert")).to_contain_text("could not be saved")
        settled(page)
        assert ran(page) == []
        assert context.cookies() == []
    finally:
        product.start()
    assert records() == []
    console.complaints.clear()


# --- pages that are not on the list ---------------------------------------------------


@pytest.mark.parametrize("origin", [OTHER, INN])
def test_a_page_that_the_site_does_not_list_gets_and_stores_nothing(
    context: BrowserContext, origin: str, product: Installation, console: Console
) -> None:
    before = [product.records(site) for site in ("shop", "inn")]
    page = ready(context.new_page(), f"{origin}/")
    settled(page)
    assert page.evaluate("consent.get()") is None
    assert page.locator("[data-consent-notice]").count() == 0
    assert ran(page) == []
    for said in ("'no-cors'", "'cors'"):
        page.evaluate(
            f"fetch('https://{VENDOR}/api/v1/choices?site=shop', {{method: 'POST', "
            f"mode: {said}, body: '{{\"purposes\": {{}}}}'}}).catch(() => 0)"
        )
    assert context.cookies() == []
    assert page.evaluate("localStorage.length") == 0
    assert [product.records(site) for site in ("shop", "inn")] == before
    console.complaints.clear()
