"""Triggers and keys for the transparency log, and the doors that removal opens.

What migration 0002 says of the older tables holds for the new ones: rows are inserted
and nothing else, except

- a link may be deleted once a removal names its entry, a content and a restricted link
  once a removal for retention does;
- an entry stops waiting once it has its leaf.

A site's short name, which names its log, is never changed.

On PostgreSQL a function writes the rows of an entry in one round trip.
"""

from collections.abc import Callable

from django.db import migrations

_FROZEN = (
    *("log", "leaf", "tile", "checkpoint", "anchor"),
    *("publickey", "removal", "asset"),
)
# Deleted only where a removal names the entry: table, and the reasons that count.
_REMOVED = {
    "content": ("retention",),
    "link": ("erasure", "retention"),
    "restricted": ("retention",),
}
_KEYS = {
    **dict.fromkeys(("leaf", "tile", "checkpoint", "log", "anchor", "removal"), "id"),
    "restricted": "entry_id",
    "count": "id",
}

_POSTGRESQL_FUNCTIONS = """
CREATE OR REPLACE FUNCTION consent_only_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM consent_removal
        WHERE site_id = OLD.site_id AND entry_id = OLD.entry_id
        AND reason = ANY (TG_ARGV)
    ) THEN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE OR REPLACE FUNCTION consent_only_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM gone WHERE NOT EXISTS (
            SELECT 1 FROM consent_leaf
            WHERE site_id = gone.site_id AND entry_id = gone.entry_id
        )
    ) THEN
        RAISE EXCEPTION '% is append-only until it is sealed', TG_TABLE_NAME
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
"""


# The rows of one entry, in the order of consent/ledger/rows.py.
_APPEND = """
CREATE FUNCTION consent_append(
    uuid, bigint, timestamptz, bytea, bytea, text, text, text, text, text, text, text,
    text, integer, boolean, bytea, text, text, jsonb
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO consent_entry (id, site_id, time, leaf_hash, signature, key_id)
    VALUES ($1, $2, $3, $4, $5, $6);
    INSERT INTO consent_content (
        entry_id, site_id, time, canonical, kind, event, country, rule, model, surface,
        policy_version, gpc
    ) VALUES ($1, $2, $3, $7, $8, $9, $10, $11, $12, $13, $14, $15);
    IF $16 IS NOT NULL THEN
        INSERT INTO consent_link (entry_id, site_id, time, salt, visitor, "user", sources)
        VALUES ($1, $2, $3, $16, $17, $18, $19);
    END IF;
    INSERT INTO consent_waiting (entry_id, site_id) VALUES ($1, $2);
END $$;
"""


def _postgresql(execute: Callable[..., None]) -> None:
    # Without parameters, so that % stands for itself.
    execute(_POSTGRESQL_FUNCTIONS, params=None)
    execute(_APPEND, params=None)
    call = "EXECUTE FUNCTION consent_append_only()"
    for name in _FROZEN:
        execute(
            f"CREATE TRIGGER consent_{name}_append_only BEFORE UPDATE OR DELETE "
            f"ON consent_{name} FOR EACH ROW {call};"
        )
    for name in (*_FROZEN, "restricted", "waiting"):
        execute(
            f"CREATE TRIGGER consent_{name}_no_truncate BEFORE TRUNCATE "
            f"ON consent_{name} FOR EACH STATEMENT {call};"
        )
    for name, reasons in _REMOVED.items():
        arguments = ", ".join(f"'{reason}'" for reason in reasons)
        execute(
            f"DROP TRIGGER IF EXISTS consent_{name}_append_only ON consent_{name};"
            f"CREATE TRIGGER consent_{name}_append_only BEFORE UPDATE "
            f"ON consent_{name} FOR EACH ROW {call};"
            f"CREATE TRIGGER consent_{name}_only_removed BEFORE DELETE "
            f"ON consent_{name} FOR EACH ROW "
            f"EXECUTE FUNCTION consent_only_removed({arguments});"
        )
    execute(
        "CREATE TRIGGER consent_waiting_append_only BEFORE UPDATE "
        f"ON consent_waiting FOR EACH ROW {call};"
        "CREATE TRIGGER consent_waiting_only_sealed AFTER DELETE ON consent_waiting "
        "REFERENCING OLD TABLE AS gone FOR EACH STATEMENT "
        "EXECUTE FUNCTION consent_only_sealed();"
    )
    execute(
        "CREATE TRIGGER consent_site_slug BEFORE UPDATE OF slug ON consent_site "
        f"FOR EACH ROW WHEN (NEW.slug IS DISTINCT FROM OLD.slug) {call};"
    )
    for name, column in _KEYS.items():
        execute(
            f"ALTER TABLE consent_{name} DROP CONSTRAINT consent_{name}_pkey, "
            f"ADD CONSTRAINT consent_{name}_pkey PRIMARY KEY (site_id, {column});"
        )


def _refuse(name: str, verb: str, condition: str = "") -> str:
    """An SQLite trigger that refuses a change of a table."""
    table = f"consent_{name}"
    return (
        f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} {condition} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;"
    )


def _sqlite(execute: Callable[..., None]) -> None:
    for name in _FROZEN:
        execute(_refuse(name, "update"))
        execute(_refuse(name, "delete"))
    for name, reasons in _REMOVED.items():
        execute(f"DROP TRIGGER IF EXISTS consent_{name}_no_delete;")
        counting = ", ".join(f"'{reason}'" for reason in reasons)
        unless = (
            "WHEN NOT EXISTS (SELECT 1 FROM consent_removal "
            "WHERE site_id = OLD.site_id AND entry_id = OLD.entry_id AND reason IN "
        )
        execute(_refuse(name, "delete", f"{unless}({counting}))"))
    # A later migration that makes the table of sites anew has to make this anew, too.
    execute(
        "CREATE TRIGGER consent_site_slug BEFORE UPDATE OF slug ON consent_site "
        "WHEN NEW.slug <> OLD.slug "
        "BEGIN SELECT RAISE(ABORT, 'the slug of consent_site is append-only'); END;"
    )
    execute(_refuse("restricted", "update"))
    execute(_refuse("waiting", "update"))
    execute(
        _refuse(
            "waiting",
            "delete",
            "WHEN NOT EXISTS (SELECT 1 FROM consent_leaf "
            "WHERE site_id = OLD.site_id AND entry_id = OLD.entry_id)",
        )
    )


def _create(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    if vendor == "postgresql":
        _postgresql(schema_editor.execute)
    elif vendor == "sqlite":
        _sqlite(schema_editor.execute)


class Migration(migrations.Migration):
    dependencies = [("consent", "0005_transparency_log")]
    # There is no way back: what the triggers protect must not lose them.
    operations = [migrations.RunPython(_create)]
