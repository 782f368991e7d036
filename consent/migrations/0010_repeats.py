"""What requests with an `Idempotency-Key` became, for a day.

On PostgreSQL the primary key begins with the site, as in migration 0003. The triggers
of the ledger are not for this table: its rows come and go.
"""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models


def _set_key(schema_editor: Any, columns: str) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "ALTER TABLE consent_repeat DROP CONSTRAINT consent_repeat_pkey, "
            f"ADD CONSTRAINT consent_repeat_pkey PRIMARY KEY ({columns});"
        )


def _by_site(apps, schema_editor):
    _set_key(schema_editor, "site_id, id")


def _by_id(apps, schema_editor):
    _set_key(schema_editor, "id")


class Migration(migrations.Migration):
    dependencies = [("consent", "0009_languages")]
    operations = [
        migrations.CreateModel(
            name="Repeat",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("key", models.BinaryField(max_length=32, verbose_name="key")),
                ("asked", models.BinaryField(max_length=32, verbose_name="request")),
                ("held", models.BinaryField(max_length=32, verbose_name="cookie")),
                ("state", models.TextField(blank=True, verbose_name="state")),
                ("entry", models.UUIDField(verbose_name="entry")),
                ("time", models.DateTimeField(verbose_name="time")),
                (
                    "site",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="consent.site",
                    ),
                ),
            ],
            options={
                "verbose_name": "repeatable request",
                "verbose_name_plural": "repeatable requests",
                "indexes": [models.Index(fields=["site", "time"], name="repeat_time")],
                "constraints": [
                    models.UniqueConstraint(fields=("site", "key"), name="repeat_once")
                ],
            },
        ),
        migrations.RunPython(_by_site, _by_id),
    ]
