"""A real browser for the tests in this folder, and the demo for it to visit."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.urls import clear_url_caches
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Playwright,
    sync_playwright,
)

import bootstrap
from consent.management.commands.prepare_demo import ACCOUNTS, _give_rights
from consent.management.demo_site import POLICY, SITE
from consent.models import Site
from consent.publication import publish
from tests.browser.steps import PASSWORD

# Playwright's synchronous interface keeps an event loop running in this thread, which
# Django takes for asynchronous code that must not touch the database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

# As root there is no sandbox, and nothing may talk to anyone but the page's server.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """The Chromium of this machine, else Playwright's own."""
    try:
        launched = playwright.chromium.launch(
            headless=True, executable_path=bootstrap.browser(), args=list(FLAGS)
        )
    except Error as error:
        reason = f"no browser starts: {error.message.splitlines()[0]}"
        if bootstrap.in_ci():
            pytest.fail(reason)
        pytest.skip(reason)
    yield launched
    launched.close()


@dataclass
class Console:
    """What a page complained about: script errors, broken promises, CSP violations."""

    complaints: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        context.on("console", self._heard)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            self.complaints.append(message.text)


@pytest.fixture
def console() -> Console:
    return Console()


@pytest.fixture
def new_context(
    browser: Browser, live_server: object, console: Console
) -> Iterator[Callable[..., BrowserContext]]:
    """Open another person's or another device's browser: nothing is remembered in it.

    What it shows has to be free of complaints in the console.
    Takes Playwright's options, as in `new_context(java_script_enabled=False)`.
    """
    opened: list[BrowserContext] = []

    def open_one(**options: object) -> BrowserContext:
        opened.append(browser.new_context(base_url=str(live_server), **options))
        opened[-1].set_default_timeout(10_000)
        console.watch(opened[-1])
        return opened[-1]

    yield open_one
    for context in opened:
        context.close()
    assert console.complaints == []


@pytest.fixture
def context(new_context: Callable[..., BrowserContext]) -> BrowserContext:
    return new_context()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture(autouse=True)
def demo(transactional_db: None, settings: object) -> Site:
    """The demo as `make run` prepares it: site, policy, and its three accounts."""
    settings.DEBUG = settings.DEMO = True
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False
    site = Site.objects.create(**SITE)
    publish(site=site, document=POLICY, at=datetime.now(UTC), by=None, note="Demo.")
    for name in ACCOUNTS:
        user = get_user_model().objects.create_user(name, password=PASSWORD)
        _give_rights(user, name)
    return site


@pytest.fixture
def shop(settings: Any) -> Iterator[None]:
    """The site's own pages, under a policy that allows no inline script or style."""
    settings.ROOT_URLCONF = "tests.browser.shop"
    settings.SECURE_CSP = {"default-src": ["'self'"], "img-src": ["'self'", "data:"]}
    clear_url_caches()
    yield
    clear_url_caches()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in this folder, so that it runs once, on SQLite."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")
