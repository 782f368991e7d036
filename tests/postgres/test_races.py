"""Two devices of one account at once: whatever the order, no refusal is lost."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from consent.choices import choosing, signing_in
from consent.models import Preference, Site
from tests.visits import ALL, NONE, OWN_PAGE, choose, decision, sign_in

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def together(*works: Callable[[], object]) -> None:
    def run(work: Callable[[], object]) -> None:
        try:
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def slowly(monkeypatch: pytest.MonkeyPatch, module: Any) -> threading.Event:
    """Hold the first lock for a while, so that whoever does not wait for it is seen."""
    taken = threading.Event()
    locked = module.locked

    def held(consent: Any, user: int) -> Preference:
        row = locked(consent, user)
        if not taken.is_set():
            taken.set()
            time.sleep(0.7)
        return row

    monkeypatch.setattr(module, "locked", held)
    return taken


def test_two_first_sign_ins_at_once_keep_the_refusal(
    site: Site,
    visitor: Any,
    ada: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refuses, grants = visitor("2a02:cfc0::1"), visitor("2a02:cfc0::1")
    choose(refuses, NONE)
    choose(grants, ALL)
    slowly(monkeypatch, signing_in)
    together(lambda: sign_in(refuses, ada), lambda: sign_in(grants, ada))
    assert decision(grants)["purposes"]["marketing"] is False


def test_an_opt_out_beside_a_first_refusal_keeps_both(
    site: Site,
    visitor: Any,
    ada: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = visitor("214.78.120.1"), visitor("214.78.120.1")
    sign_in(one, ada)
    sign_in(two, ada)
    taken = slowly(monkeypatch, choosing)

    def refuse(browser: Client) -> None:
        taken.wait(5)
        choose(browser, NONE)

    together(
        lambda: one.post("/privacy-choices/", headers=OWN_PAGE), lambda: refuse(two)
    )
    running = decision(one)["purposes"]
    assert running["analytics"] is running["marketing"] is False


def test_an_opt_out_beside_a_later_refusal_keeps_both(
    site: Site, visitor: Any, ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = visitor("2a02:cfc0::1"), visitor("2a02:cfc0::1")
    sign_in(one, ada)
    choose(one, ALL)
    sign_in(two, ada)
    taken = slowly(monkeypatch, choosing)

    def refuse() -> None:
        taken.wait(5)
        choose(two, NONE)

    together(lambda: one.post("/privacy-choices/", headers=OWN_PAGE), refuse)
    running = decision(one)["purposes"]
    assert running["analytics"] is running["marketing"] is False
