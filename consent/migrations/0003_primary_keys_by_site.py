"""On PostgreSQL, the tables that grow have the site first in their primary key.

A distributed PostgreSQL spreads a table by a column that every unique index holds. The
models go on seeing the random id alone, because composite keys cannot enter the
administration (Django 6.1); an id of 128 random bits is unique without an index too.
"""

from typing import Any

from django.db import migrations

_KEYS = {
    "entry": "id",
    "content": "entry_id",
    "link": "entry_id",
    "waiting": "entry_id",
    "leaf": "id",
    "tile": "id",
    "checkpoint": "id",
    "preference": "id",
}


def _set_keys(schema_editor: Any, *, first: str) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    for name, column in _KEYS.items():
        schema_editor.execute(
            f"ALTER TABLE consent_{name} DROP CONSTRAINT consent_{name}_pkey, "
            f"ADD CONSTRAINT consent_{name}_pkey PRIMARY KEY ({first}{column});"
        )


def _by_site(apps, schema_editor):
    _set_keys(schema_editor, first="site_id, ")


def _by_id(apps, schema_editor):
    _set_keys(schema_editor, first="")


class Migration(migrations.Migration):
    dependencies = [("consent", "0002_append_only")]
    operations = [migrations.RunPython(_by_site, _by_id)]
