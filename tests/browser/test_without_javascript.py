"""Everything a visitor can do works with scripts switched off."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import (
    accept,
    answer,
    answers,
    banner,
    chosen,
    reject,
    save,
    to_preferences,
    visit,
)


@pytest.fixture
def plain(new_context: Callable[..., object]) -> Page:
    """A Parisian whose browser runs no scripts."""
    return visit(new_context(java_script_enabled=False))


def test_accepting_lets_gated_parts_run(plain: Page) -> None:
    expect(plain.get_by_text("A film is held back here.")).to_be_visible()
    accept(plain)
    expect(plain.get_by_role("status")).to_contain_text("You’ve accepted")
    expect(plain.get_by_text("The film plays here.")).to_be_visible()
    expect(plain.get_by_text("Your visit is counted.")).to_be_visible()


def test_refusing_holds_them_back_and_hides_the_banner(plain: Page) -> None:
    reject(plain)
    expect(plain.get_by_role("status")).to_contain_text("You’ve rejected")
    plain.get_by_role("link", name="Hide this message").click()
    expect(banner(plain)).to_have_count(0)
    expect(plain.get_by_text("A film is held back here.")).to_be_visible()


def test_choosing_one_purpose_and_going_back(plain: Page) -> None:
    plain.get_by_role("link", name="Choose which cookies").first.click()
    assert answers(plain) == {"functional": None, "analytics": None, "marketing": None}
    answer(plain, "analytics", "Yes")
    save(plain)
    expect(plain.get_by_role("status")).to_contain_text("Your preferences are saved.")
    assert answers(plain) == {"functional": "no", "analytics": "yes", "marketing": "no"}
    plain.get_by_role("link", name="Go back to where you were").click()
    expect(plain.get_by_text("Your visit is counted.")).to_be_visible()
    expect(plain.get_by_text("A film is held back here.")).to_be_visible()
    expect(banner(plain)).to_have_count(0)


def test_withdrawing(plain: Page) -> None:
    accept(plain)
    to_preferences(plain)
    plain.get_by_role("button", name="Withdraw all").click()
    assert set(answers(plain).values()) == {"no"}
    expect(plain.get_by_role("cell", name="Withdrew")).to_be_visible()
    plain.get_by_role("link", name="Go back to where you were").click()
    expect(plain.get_by_text("A film is held back here.")).to_be_visible()


def test_opting_out_as_a_californian(new_context: Callable[..., object]) -> None:
    page = visit(new_context(java_script_enabled=False), "/?as=US-CA")
    expect(banner(page)).to_have_count(0)
    page.get_by_role("link", name="Your Privacy Choices").click()
    expect(page.get_by_role("main")).to_contain_text("Not opted out.")
    page.get_by_role("button", name="Opt out of sale").click()
    expect(page.get_by_role("status")).to_contain_text("You have opted out.")
    expect(page.get_by_role("main").get_by_role("definition").first).to_contain_text(
        "Opted out."
    )
    assert chosen(page.context)
    page.get_by_role("link", name="Go back to where you were").click()
    expect(page.get_by_text("Your visit is counted.")).to_be_visible()
    expect(page.get_by_text("A film is held back here.")).to_be_visible()


def test_a_signal_is_told_to_be_honoured(new_context: Callable[..., object]) -> None:
    page = visit(new_context(java_script_enabled=False), "/?as=US-CA,gpc")
    expect(page.get_by_role("contentinfo")).to_contain_text("Opt-out request honored")
    assert not page.context.cookies()
    to_preferences(page)
    answer(page, "marketing", "Yes")
    save(page)
    expect(page.get_by_role("contentinfo")).to_contain_text("overridden by your choice")
