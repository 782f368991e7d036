"""A pack that was made of a visitor's records."""

from pathlib import Path

import pytest
from django.test import Client

from consent import ledger
from consent.models import Site
from tests.logs import write
from tests.packs import Made, command
from tests.visits import ALL, choose


@pytest.fixture
def made(parisian: Client, site: Site, tmp_path: Path) -> Made:
    """A pack of two records, which stand in a log of three heads."""
    first = choose(parisian, ALL, surface="banner")["receipt"]
    write(site, 3)
    ledger.seal(site=site)
    second = choose(parisian, {"analytics": True}, surface="preferences")["receipt"]
    ledger.seal(site=site)
    write(site, 40)
    ledger.seal(site=site)
    visitor = first["opening"]["visitor"]
    path = tmp_path / "evidence.zip"
    command(path, "--visitor", visitor)
    return Made(path, visitor, [first["id"], second["id"]])
