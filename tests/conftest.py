"""What every test may count on."""

import pytest
from django.db import connection


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what only PostgreSQL can show, where the tests run on another."""
    if connection.vendor == "postgresql":
        return
    needs_postgres = pytest.mark.skip(reason="needs PostgreSQL, as in `make test`")
    for item in items:
        if item.get_closest_marker("postgres"):
            item.add_marker(needs_postgres)
