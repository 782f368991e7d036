"""Persons whom a site's backend vouches for, their browsers, and keys of programs.

On PostgreSQL the tables that grow have the site first in their primary key, like those
of 0003.
"""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

_GROW = ("linked", "usedtoken")


def _set_keys(schema_editor: Any, *, first: str) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    for name in _GROW:
        schema_editor.execute(
            f"ALTER TABLE consent_{name} DROP CONSTRAINT consent_{name}_pkey, "
            f"ADD CONSTRAINT consent_{name}_pkey PRIMARY KEY ({first}id);"
        )


def _by_site(apps, schema_editor):
    _set_keys(schema_editor, first="site_id, ")


def _by_id(apps, schema_editor):
    _set_keys(schema_editor, first="")


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0010_repeats"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiKey",
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
                (
                    "number",
                    models.CharField(max_length=8, unique=True, verbose_name="key"),
                ),
                ("digest", models.CharField(max_length=64, verbose_name="digest")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("scopes", models.JSONField(default=list, verbose_name="scopes")),
                ("made_at", models.DateTimeField(verbose_name="made at")),
                (
                    "ends_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="ends at"),
                ),
                (
                    "last_used_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="last used at"
                    ),
                ),
            ],
            options={
                "verbose_name": "API key",
                "verbose_name_plural": "API keys",
            },
        ),
        migrations.CreateModel(
            name="IdentityKey",
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
                ("kid", models.CharField(max_length=64, verbose_name="key id")),
                (
                    "algorithm",
                    models.CharField(
                        choices=[
                            ("EdDSA", "EdDSA (Ed25519)"),
                            ("ES256", "ES256 (P-256)"),
                            ("HS256", "HS256"),
                        ],
                        max_length=5,
                        verbose_name="algorithm",
                    ),
                ),
                ("material", models.TextField(verbose_name="key")),
                ("issuer", models.CharField(max_length=255, verbose_name="issuer")),
                ("audience", models.CharField(max_length=255, verbose_name="audience")),
                ("made_at", models.DateTimeField(verbose_name="made at")),
                (
                    "retired_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="retired at"
                    ),
                ),
            ],
            options={
                "verbose_name": "identity key",
                "verbose_name_plural": "identity keys",
            },
        ),
        migrations.CreateModel(
            name="Linked",
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
                ("visitor", models.CharField(max_length=32, verbose_name="visitor")),
                ("identity", models.CharField(max_length=64, verbose_name="identity")),
                ("since", models.DateTimeField(verbose_name="since")),
            ],
            options={
                "verbose_name": "linked browser",
                "verbose_name_plural": "linked browsers",
            },
        ),
        migrations.CreateModel(
            name="UsedToken",
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
                ("digest", models.CharField(max_length=64, verbose_name="digest")),
                ("until", models.DateTimeField(verbose_name="until")),
            ],
            options={
                "verbose_name": "used token",
                "verbose_name_plural": "used tokens",
            },
        ),
        migrations.AddField(
            model_name="preference",
            name="identity",
            field=models.CharField(blank=True, max_length=64, verbose_name="identity"),
        ),
        migrations.AddField(
            model_name="preference",
            name="minor",
            field=models.BooleanField(default=False, verbose_name="minor"),
        ),
        migrations.AlterField(
            model_name="preference",
            name="user",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="preference",
            constraint=models.UniqueConstraint(
                condition=models.Q(("identity", ""), _negated=True),
                fields=("site", "identity"),
                name="preference_identity_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="preference",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("identity", ""), ("user__isnull", False)),
                    models.Q(
                        ("user__isnull", True),
                        models.Q(("identity", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="preference_of_one",
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="site",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="consent.site",
            ),
        ),
        migrations.AddField(
            model_name="identitykey",
            name="site",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="consent.site",
            ),
        ),
        migrations.AddField(
            model_name="linked",
            name="site",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="consent.site",
            ),
        ),
        migrations.AddField(
            model_name="usedtoken",
            name="site",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="consent.site",
            ),
        ),
        migrations.AddConstraint(
            model_name="identitykey",
            constraint=models.UniqueConstraint(
                fields=("site", "kid"), name="identity_key_once"
            ),
        ),
        migrations.AddIndex(
            model_name="linked",
            index=models.Index(fields=["site", "identity"], name="linked_identity"),
        ),
        migrations.AddConstraint(
            model_name="linked",
            constraint=models.UniqueConstraint(
                fields=("site", "visitor"), name="linked_once"
            ),
        ),
        migrations.AddIndex(
            model_name="usedtoken",
            index=models.Index(fields=["site", "until"], name="used_token_until"),
        ),
        migrations.AddConstraint(
            model_name="usedtoken",
            constraint=models.UniqueConstraint(
                fields=("site", "digest"), name="used_token_once"
            ),
        ),
        migrations.RunPython(_by_site, _by_id),
    ]
