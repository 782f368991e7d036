"""What every test may count on: one published site, and people who visit it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings as loaded
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client, TransactionTestCase

from consent import anchors, counts, ledger, notices, publication
from consent.management.commands.prepare_demo import _give_rights
from consent.management.demo_site import POLICY, SITE
from consent.models import Site
from tests.visits import PASSWORD

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what only PostgreSQL can show, where the tests run on another."""
    if connection.vendor == "postgresql":
        return
    needs_postgres = pytest.mark.skip(reason="needs PostgreSQL, as in `make test`")
    for item in items:
        if item.get_closest_marker("postgres"):
            item.add_marker(needs_postgres)


def pytest_unconfigure() -> None:
    shutil.rmtree(loaded.CONSENT_DATA_DIR, ignore_errors=True)


@contextmanager
def _no_triggers() -> Iterator[None]:
    """Let tables be emptied; the triggers of the ledger forbid that to everybody."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger "
                "WHERE NOT tgisinternal"
            )
            tables = [name for (name,) in cursor.fetchall()]
            off = [f"ALTER TABLE {name} DISABLE TRIGGER USER" for name in tables]
            on = [f"ALTER TABLE {name} ENABLE TRIGGER USER" for name in tables]
        else:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            found = cursor.fetchall()
            off = [f"DROP TRIGGER {name}" for name, _ in found]
            on = [sql for _, sql in found]
        for statement in off:
            cursor.execute(statement)
        yield
        for statement in on:
            cursor.execute(statement)


@pytest.fixture(scope="session", autouse=True)
def _tables_can_be_emptied() -> Iterator[None]:
    """Between tests that commit, tables are emptied in spite of their triggers."""
    patch = pytest.MonkeyPatch()
    empty = TransactionTestCase._fixture_teardown

    def without_triggers(case: TransactionTestCase) -> None:
        with _no_triggers():
            empty(case)

    patch.setattr(TransactionTestCase, "_fixture_teardown", without_triggers)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def _nothing_is_remembered(tmp_path: Path, settings: Any) -> Iterator[None]:
    """No test sees what an earlier one left in memory, or kept beside the database."""
    settings.CONSENT_CHECKPOINT_DIR = tmp_path / "checkpoints"
    memories = (publication, notices, ledger, counts, anchors)
    for memory in memories:
        memory.forget()
    yield
    for memory in memories:
        memory.forget()


@pytest.fixture
def noon() -> Iterator[time_machine.Traveller]:
    """It is noon on 23 November 2026 until the test moves the clock."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


# What the site of most tests speaks.
SPOKEN = {
    "languages": ["en", "fr", "de", "es"],
    "unreviewed_languages": ["fr", "de", "es"],
}


@pytest.fixture
def site(db: None) -> Site:
    """The demo's site, on the host that test requests go to, with its policy."""
    hosts = [*SITE["hosts"], "testserver"]
    made = Site.objects.create(**{**SITE, **SPOKEN, "hosts": hosts})
    publication.publish(site=made, document=POLICY, at=datetime.now(UTC), by=None)
    return made


@pytest.fixture
def second_policy(site: Site) -> Site:
    """Version 2 is in force: another company now shows the advertising."""
    services = [
        {**service, "provider": "Other Ads Inc."}
        if service["slug"] == "adverts"
        else service
        for service in POLICY["services"]
    ]
    newer = {**POLICY, "services": services}
    publication.publish(site=site, document=newer, at=datetime.now(UTC), by=None)
    return site


type NewVisitor = Callable[..., Client]


@pytest.fixture
def visitor(site: Site) -> NewVisitor:
    """Return a browser of somebody: `visitor("2a02:cfc0::1", gpc=True)`."""

    def new(address: str = "", *, gpc: bool = False, **headers: str) -> Client:
        sent = dict(headers)
        if address:
            sent["x-forwarded-for"] = address
        if gpc:
            sent["sec-gpc"] = "1"
        return Client(headers=sent)

    return new


@pytest.fixture
def parisian(visitor: NewVisitor) -> Client:
    return visitor("2a02:cfc0::1")


@pytest.fixture
def californian(visitor: NewVisitor) -> Client:
    """Somebody in California whose browser sends Global Privacy Control."""
    return visitor("214.78.120.1", gpc=True)


@pytest.fixture
def alaskan(visitor: NewVisitor) -> Client:
    """Somebody where no law asks for anything."""
    return visitor("214.78.120.1", **{"CF-IPCountry": "US", "CF-Region-Code": "AK"})


@pytest.fixture
def quebecoise(visitor: NewVisitor) -> Client:
    return visitor("214.78.120.1", **{"CF-IPCountry": "CA", "CF-Region-Code": "QC"})


@pytest.fixture
def hidden(visitor: NewVisitor) -> Client:
    """Somebody behind Tor, at a place that nobody knows."""
    return visitor("65.0.0.1")


@pytest.fixture
def auditor(site: Site) -> Any:
    """A member of staff who may look at everything and change nothing."""
    user = get_user_model().objects.create_user("auditor", password="looks only")
    _give_rights(user, "auditor")
    return user


@pytest.fixture
def ada(site: Site) -> Any:
    return get_user_model().objects.create_user("ada", password=PASSWORD)


@pytest.fixture
def bob(site: Site) -> Any:
    return get_user_model().objects.create_user("bob", password=PASSWORD)
