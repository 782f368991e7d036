"""An entry in one statement on SQLite too, and fewer pages written for each.

On SQLite a view takes what the function `consent_append` takes on PostgreSQL, and a
trigger writes the rows. Two indexes by time, in which new entries come last, grow at
their end.
"""

from collections.abc import Callable

from django.db import migrations, models

# In the order of consent/ledger/rows.py.
_ENTRY = ("site_id", "time", "leaf_hash", "signature", "key_id")
_CONTENT = (
    *("canonical", "kind", "event", "country", "rule", "model", "surface"),
    *("policy_version", "gpc"),
)
_LINK = ("salt", "visitor", '"user"', "sources")
_COMMON = ("site_id", "time")


def _rows(table: str, key: str, columns: tuple[str, ...], condition: str = "") -> str:
    """What the trigger does for one table."""
    new = ", ".join(f"NEW.{column}" for column in ("number", *columns))
    into = f"INSERT INTO consent_{table} ({', '.join((key, *columns))})"
    return f"{into} SELECT {new} {condition};"


def _append(execute: Callable[..., None]) -> None:
    """The view names no table, so that any of them can be made anew below it."""
    columns = ("number", *_ENTRY, *_CONTENT, *_LINK)
    nothing = ", ".join(f"NULL AS {column}" for column in columns)
    execute(f"CREATE VIEW consent_append AS SELECT {nothing} WHERE 0;")
    execute(
        "CREATE TRIGGER consent_append_rows INSTEAD OF INSERT ON consent_append BEGIN "
        + _rows("entry", "id", _ENTRY)
        + _rows("content", "entry_id", (*_COMMON, *_CONTENT))
        + _rows("link", "entry_id", (*_COMMON, *_LINK), "WHERE NEW.salt IS NOT NULL")
        + _rows("waiting", "entry_id", ("site_id",))
        + " END;"
    )


def _create(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        _append(schema_editor.execute)


class Migration(migrations.Migration):
    dependencies = [("consent", "0006_log_triggers")]
    # There is no way back: what the triggers protect must not lose them.
    operations = [
        migrations.RemoveIndex(model_name="entry", name="entry_recent"),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(fields=["site", "time", "id"], name="entry_recent"),
        ),
        migrations.RemoveIndex(model_name="link", name="link_user"),
        migrations.AddIndex(
            model_name="link",
            index=models.Index(fields=["site", "user", "time"], name="link_user"),
        ),
        migrations.RunPython(_create),
    ]
