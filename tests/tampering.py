"""What somebody with the database's password can do, and what `verify_ledger` says."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction

from consent.models import Leaf
from tests.conftest import _no_triggers


@contextmanager
def in_spite_of_triggers() -> Iterator[None]:
    """Change what the database lets nobody change."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # A table with checks still to be made cannot be altered.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with _no_triggers():
        yield


@contextmanager
def undone() -> Iterator[None]:
    """Take back what was changed, when everything was said about it."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def verified(*words: str) -> dict[str, Any]:
    """What `verify_ledger` says of a ledger in which nothing is wrong."""
    told = StringIO()
    call_command("verify_ledger", "--json", *words, stdout=told)
    document: dict[str, Any] = json.loads(told.getvalue())
    assert document["verified"] is True
    return document


def first_wrong(*words: str) -> str:
    """The sentence with which `verify_ledger` ends where something is wrong."""
    with pytest.raises(CommandError) as raised:
        call_command("verify_ledger", *words, stdout=StringIO())
    assert raised.value.returncode == 1
    return str(raised.value)


def all_wrong(*words: str) -> list[dict[str, Any]]:
    """Everything that is told of as wrong, in its order."""
    told = StringIO()
    with pytest.raises(CommandError):
        call_command("verify_ledger", "--json", *words, stdout=told)
    document = json.loads(told.getvalue())
    assert document["verified"] is False
    of_sites = [found for site in document["sites"] for found in site["findings"]]
    return [*of_sites, *document["findings"]]


def at(place: int) -> Leaf:
    """The leaf at a place in the log."""
    return Leaf.objects.get(index=place)


def named(place: int) -> str:
    """How an entry of the log is named to people."""
    number = at(place).entry_id.hex
    return f"default, log 1, entry {place}, receipt {number}: "
