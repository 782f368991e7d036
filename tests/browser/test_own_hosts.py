"""The two better places for the product: a path of the own host, and a subdomain.

`www.mill.example` hands `/about-you/` on to an installation of its own; the pages of
`www.inn.example` and `app.inn.example` ask `consent.inn.example`. HTTPS, and browsers
that block third-party cookies.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, Playwright, expect

from tests.browser.conftest import Console
from tests.browser.internet import (
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

PATH: Final = "/about-you"
MILL: Final = "https://www.mill.example"
WWW, APP = "https://www.inn.example", "https://app.inn.example"
BACKEND: Final = "https://consent.inn.example"
PLAY: Final = "from django.contrib.auth.models import User; User.objects.create_user("


@pytest.fixture(scope="module")
def at_a_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("mill") / "data"
    made = Installation(folder, ["www.mill.example"], FORCE_SCRIPT_NAME=PATH)
    made.prepare([{"slug": "mill", "hosts": ["www.mill.example"]}])
    program = f"{PLAY}'ada', password='bread-at-six')"
    made.manage("shell", "--no-imports", "-c", program)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def on_a_subdomain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("inn") / "data"
    made = Installation(folder, ["consent.inn.example"])
    inn = {"slug": "inn", "hosts": ["consent.inn.example", "*.inn.example"]}
    lists = {"allowed_origins": [WWW, APP], "cookie_domain": "inn.example"}
    made.prepare([{**inn, **lists}])
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def internet(
    at_a_path: Installation,
    on_a_subdomain: Installation,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Internet]:
    hosts = {
        "www.mill.example": HANDED_ON.format(path=PATH, port=at_a_path.port),
        "consent.inn.example": HANDED_ON.format(path="", port=on_a_subdomain.port),
        "www.inn.example": "",
        "app.inn.example": "",
    }
    made = Internet(tmp_path_factory.mktemp("internet"), hosts)
    write(made, "www.mill.example", after(two_lines(PATH)))
    for host in ("www.inn.example", "app.inn.example"):
        write(made, host, after(two_lines(BACKEND)))
    with made.served():
        yield made


@pytest.fixture
def browsers(
    playwright: Playwright, internet: Internet, tmp_path: Path, console: Console
) -> Iterator[Browsers]:
    with new_browsers(playwright, internet, tmp_path, console) as new:
        yield new


@pytest.fixture
def page(browsers: Browsers) -> Page:
    return browsers().new_page()


# --- behind a path of the own host ----------------------------------------------------


def test_at_a_path_everything_is_found_under_the_path(page: Page) -> None:
    wrong: list[str] = []
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("response", lambda one: one.status < 400 or wrong.append(one.url))
    ready(page, f"{MILL}/")
    accept(page)
    until(page, "window.ran?.length == 2")
    page.get_by_role("link", name="change your cookie preferences").click()
    page.wait_for_url(f"{MILL}{PATH}/cookie-preferences/**")
    expect(page.get_by_role("heading", level=1)).to_have_text("Cookie Preferences")
    page.get_by_role("button", name="Withdraw all").click()
    expect(page.get_by_role("status")).to_contain_text("saved")
    for link in ("/privacy-choices/", "/settings/", "/"):
        page.goto(f"{MILL}{PATH}{link}")
    assert wrong == []
    pages = {f"{MILL}/", f"{MILL}/counter.js", f"{MILL}/adverts.js"}
    beside = {url for url in asked if not url.startswith((f"{MILL}{PATH}/", "data:"))}
    assert beside == pages
    assert any("/static/" in url for url in asked)


def test_at_a_path_the_server_sets_the_cookie_and_it_counts_on_the_next_page(
    page: Page, at_a_path: Installation
) -> None:
    ready(page, f"{MILL}/")
    before = len(at_a_path.records("mill"))
    accept(page)
    until(page, "window.ran?.length == 2")
    kept = {one["name"]: one for one in page.context.cookies()}
    assert set(kept) == {"consent", "consent_id"}
    assert kept["consent_id"]["httpOnly"] is True
    assert {one["domain"] for one in kept.values()} == {"www.mill.example"}
    ready(page, f"{MILL}/second.html")
    until(page, "window.ran?.length == 2")
    expect(banner(page)).to_have_count(0)
    assert len(at_a_path.records("mill")) == before + 1


def test_at_a_path_somebody_signs_in_whatever_cookies_the_host_has(page: Page) -> None:
    for name in ("session", "sessionid", "csrftoken"):
        page.context.add_cookies([{"name": name, "value": "theirs", "url": f"{MILL}/"}])
    page.goto(f"{MILL}{PATH}/settings/user/cookie-preferences/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill("bread-at-six")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{MILL}{PATH}/settings/user/cookie-preferences/**")
    page.get_by_role("button", name="Reject all").or_(
        page.get_by_role("button", name="Save preferences")
    ).first.wait_for()
    ours = {c["name"]: c["path"] for c in page.context.cookies() if "_" in c["name"]}
    assert ours["consent_session"] == f"{PATH}/"


# --- on a subdomain -------------------------------------------------------------------


def test_what_was_chosen_on_one_host_of_a_site_counts_on_the_other(
    page: Page, on_a_subdomain: Installation
) -> None:
    ready(page, f"{WWW}/")
    before = len(on_a_subdomain.records("inn"))
    accept(page)
    until(page, "window.ran?.length == 2")
    assert {one["domain"] for one in page.context.cookies()} == {".inn.example"}
    ready(page, f"{APP}/")
    until(page, "window.ran?.length == 2")
    expect(banner(page)).to_have_count(0)
    assert len(on_a_subdomain.records("inn")) == before + 1


def test_what_was_refused_on_one_host_of_a_site_runs_on_neither(page: Page) -> None:
    ready(page, f"{APP}/")
    reject(page)
    expect(page.get_by_role("status")).to_contain_text("You’ve rejected")
    for address in (f"{WWW}/", f"{APP}/second.html"):
        settled(ready(page, address))
        assert ran(page) == []
        expect(banner(page)).to_have_count(0)


def test_withdrawing_on_the_subdomain_ends_it_on_every_host_and_leads_back(
    page: Page,
) -> None:
    ready(page, f"{WWW}/")
    accept(page)
    until(page, "window.ran?.length == 2")
    page.get_by_role("link", name="change your cookie preferences").click()
    page.wait_for_url(f"{BACKEND}/cookie-preferences/**")
    page.get_by_role("button", name="Withdraw all").click()
    page.get_by_role("link", name="Go back to where you were").click()
    page.wait_for_url(f"{WWW}/")
    for address in (f"{WWW}/", f"{APP}/"):
        settled(ready(page, address))
        assert ran(page) == []
