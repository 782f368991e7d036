"""A receipt in a real browser: found after a choice, readable, and without a script."""

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from consent import ledger
from consent.models import Site
from tests.browser.steps import accept, receipt, visit
from tests.browser.test_accessibility import NO_WIDER, SCHEMES, SIZES, violations


@pytest.fixture
def opened(new_context: Callable[..., BrowserContext], demo: Site) -> Page:
    """The page of a receipt, found by its link after a choice, without JavaScript."""
    page = visit(new_context(java_script_enabled=False))
    accept(page)
    ledger.seal(site=demo)
    page.get_by_role("status").get_by_role("link", name=receipt(page)).click()
    return page


def test_the_number_leads_to_the_page_and_the_page_to_the_notice(opened: Page) -> None:
    assert opened.get_by_role("heading", name="What was answered").is_visible()
    assert opened.get_by_text("This record is entry").is_visible()
    opened.get_by_role("link", name="As it was shown").click()
    assert opened.get_by_role("button", name="Accept additional cookies").is_visible()


def test_the_signed_receipt_is_saved_as_a_file(opened: Page, tmp_path: Path) -> None:
    with opened.expect_download() as started:
        opened.get_by_role("link", name="The signed receipt").click()
    assert started.value.suggested_filename == "receipt.json"
    started.value.save_as(tmp_path / "receipt.json")
    assert json.loads((tmp_path / "receipt.json").read_text())["log"]


def test_the_page_can_be_read_by_everybody(page: Page, demo: Site) -> None:
    page.goto("/?as=FR")
    accept(page)
    ledger.seal(site=demo)
    page.goto(f"/receipts/{receipt(page)}/")
    for (width, height), scheme in product(SIZES, SCHEMES):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == [], f"{width} pixels wide, {scheme}"
        assert page.evaluate(NO_WIDER), f"{width} pixels wide"
