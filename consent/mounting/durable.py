"""SQLite that keeps what was answered, where a project did not set it so itself."""

from typing import Any, Final

from django.apps import apps
from django.db import router
from django.db.backends.signals import connection_created

# Choices survive a power cut, and no statement replaces a kept row unseen.
_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA recursive_triggers=ON",
)


def follow_connections() -> None:
    """Set each connection to SQLite up as it is opened."""
    connection_created.connect(_opened, dispatch_uid="consent.durable")


def _ours() -> str:
    """The connection that our tables are written by; others are a project's own."""
    return router.db_for_write(apps.get_model("consent", "Entry"))


def _opened(connection: Any, **_: object) -> None:  # noqa: ANN401 - any backend's
    if connection.vendor != "sqlite" or connection.alias != _ours():
        return
    if connection.transaction_mode is None:
        # Who is to write waits for the lock at the start, where waiting is possible.
        connection.transaction_mode = "IMMEDIATE"
    if "init_command" not in connection.settings_dict.get("OPTIONS", {}):
        with connection.cursor() as cursor:
            for pragma in _PRAGMAS:
                cursor.execute(pragma)
