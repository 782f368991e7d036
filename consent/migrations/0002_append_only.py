"""Triggers that keep the ledger append-only, on SQLite and on PostgreSQL.

Rows are inserted and nothing else. `Waiting` is a queue and may be emptied. Contents and
links may be deleted only by an erasure or retention run, which will come with a
condition of its own; until then they may not be deleted at all. Triggers stop accidents;
the proof is the hash of every entry.
"""

from django.db import migrations

_FROZEN = (
    "entry",
    "content",
    "link",
    "leaf",
    "tile",
    "checkpoint",
    "policyversion",
    "notice",
    "rulebookversion",
)

_POSTGRESQL = """
CREATE OR REPLACE FUNCTION consent_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$;
"""


def _create(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    if vendor == "postgresql":
        # Without parameters, so that % stands for itself.
        schema_editor.execute(_POSTGRESQL, params=None)
    for name in _FROZEN:
        table = f"consent_{name}"
        if vendor == "postgresql":
            schema_editor.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION consent_append_only();"
            )
            schema_editor.execute(
                f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION consent_append_only();"
            )
        elif vendor == "sqlite":
            for verb in ("update", "delete"):
                schema_editor.execute(
                    f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;"
                )


def _drop(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    for name in _FROZEN:
        table = f"consent_{name}"
        if vendor == "postgresql":
            for trigger in ("append_only", "no_truncate"):
                schema_editor.execute(
                    f"DROP TRIGGER IF EXISTS {table}_{trigger} ON {table};"
                )
        elif vendor == "sqlite":
            for verb in ("update", "delete"):
                schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb};")


class Migration(migrations.Migration):
    dependencies = [("consent", "0001_initial")]
    operations = [migrations.RunPython(_create, _drop)]
