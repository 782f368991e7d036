"""The transparency log, removals, counts, and the looks of notices.

Nothing wrote leaves, tiles and checkpoints before, so their tables are made anew.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0004_cookie_domain_and_acts"),
    ]

    operations = [
        migrations.DeleteModel(name="Leaf"),
        migrations.DeleteModel(name="Tile"),
        migrations.DeleteModel(name="Checkpoint"),
        migrations.CreateModel(
            name="Leaf",
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
                    "log",
                    models.PositiveSmallIntegerField(default=1, verbose_name="log"),
                ),
                ("index", models.BigIntegerField(verbose_name="index")),
                (
                    "entry",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="consent.entry",
                    ),
                ),
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
                "verbose_name": "leaf",
                "verbose_name_plural": "leaves",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("site", "log", "index"), name="leaf_index_once"
                    ),
                    models.UniqueConstraint(
                        fields=("site", "entry"), name="leaf_entry_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Tile",
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
                    "log",
                    models.PositiveSmallIntegerField(default=1, verbose_name="log"),
                ),
                ("level", models.PositiveSmallIntegerField(verbose_name="level")),
                ("index", models.BigIntegerField(verbose_name="index")),
                ("root", models.BinaryField(max_length=32, verbose_name="root")),
                ("hashes", models.BinaryField(max_length=8192, verbose_name="hashes")),
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
                "verbose_name": "tile",
                "verbose_name_plural": "tiles",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("site", "log", "level", "index"), name="tile_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Checkpoint",
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
                    "log",
                    models.PositiveSmallIntegerField(default=1, verbose_name="log"),
                ),
                ("tree_size", models.BigIntegerField(verbose_name="tree size")),
                ("root", models.BinaryField(max_length=32, verbose_name="root")),
                ("note", models.TextField(verbose_name="signed note")),
                ("key_id", models.CharField(max_length=16, verbose_name="key")),
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
                "verbose_name": "checkpoint",
                "verbose_name_plural": "checkpoints",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("site", "log", "tree_size"), name="checkpoint_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Anchor",
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
                    "log",
                    models.PositiveSmallIntegerField(default=1, verbose_name="log"),
                ),
                ("tree_size", models.BigIntegerField(verbose_name="tree size")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("timestamp", "time-stamp"),
                            ("cosignature", "co-signature"),
                        ],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                ("name", models.CharField(max_length=255, verbose_name="name")),
                ("token", models.BinaryField(verbose_name="token")),
                ("time", models.DateTimeField(verbose_name="time")),
            ],
            options={
                "verbose_name": "anchor",
                "verbose_name_plural": "anchors",
            },
        ),
        migrations.CreateModel(
            name="Asset",
            fields=[
                (
                    "hash",
                    models.CharField(
                        max_length=71,
                        primary_key=True,
                        serialize=False,
                        verbose_name="hash",
                    ),
                ),
                (
                    "media_type",
                    models.CharField(max_length=100, verbose_name="media type"),
                ),
                ("body", models.BinaryField(verbose_name="body")),
            ],
            options={
                "verbose_name": "asset of a notice",
                "verbose_name_plural": "assets of notices",
            },
        ),
        migrations.CreateModel(
            name="Count",
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
                ("day", models.DateField(verbose_name="day")),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("shown", "notice shown"),
                            ("gpc", "signal applied"),
                            ("gate", "gate asked"),
                        ],
                        max_length=10,
                        verbose_name="what",
                    ),
                ),
                (
                    "notice",
                    models.CharField(blank=True, max_length=71, verbose_name="notice"),
                ),
                (
                    "country",
                    models.CharField(blank=True, max_length=2, verbose_name="country"),
                ),
                (
                    "subdivision",
                    models.CharField(
                        blank=True, max_length=6, verbose_name="subdivision"
                    ),
                ),
                (
                    "rule",
                    models.CharField(blank=True, max_length=255, verbose_name="rule"),
                ),
                (
                    "detail",
                    models.CharField(blank=True, max_length=100, verbose_name="detail"),
                ),
                ("times", models.BigIntegerField(default=0, verbose_name="times")),
            ],
            options={
                "verbose_name": "count",
                "verbose_name_plural": "counts",
            },
        ),
        migrations.CreateModel(
            name="Log",
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
                    models.PositiveSmallIntegerField(default=1, verbose_name="number"),
                ),
                ("origin", models.CharField(max_length=320, verbose_name="origin")),
                ("opened_at", models.DateTimeField(verbose_name="opened at")),
            ],
            options={
                "verbose_name": "log",
                "verbose_name_plural": "logs",
            },
        ),
        migrations.CreateModel(
            name="PublicKey",
            fields=[
                (
                    "id",
                    models.CharField(
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                        verbose_name="key",
                    ),
                ),
                (
                    "public",
                    models.BinaryField(max_length=32, verbose_name="public key"),
                ),
                ("first_used", models.DateTimeField(verbose_name="first used")),
            ],
            options={
                "verbose_name": "public key",
                "verbose_name_plural": "public keys",
            },
        ),
        migrations.CreateModel(
            name="Removal",
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
                    "reason",
                    models.CharField(
                        choices=[("erasure", "erasure"), ("retention", "retention")],
                        max_length=10,
                        verbose_name="reason",
                    ),
                ),
                ("time", models.DateTimeField(verbose_name="time")),
            ],
            options={
                "verbose_name": "removal",
                "verbose_name_plural": "removals",
            },
        ),
        migrations.CreateModel(
            name="Restricted",
            fields=[
                (
                    "entry",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="%(class)s",
                        serialize=False,
                        to="consent.entry",
                    ),
                ),
                ("salt", models.BinaryField(max_length=32, verbose_name="salt")),
                (
                    "visitor",
                    models.CharField(blank=True, max_length=32, verbose_name="visitor"),
                ),
                (
                    "user",
                    models.CharField(blank=True, max_length=64, verbose_name="user"),
                ),
                ("time", models.DateTimeField(verbose_name="time")),
                ("sources", models.JSONField(default=list, verbose_name="sources")),
                ("restricted_at", models.DateTimeField(verbose_name="restricted at")),
            ],
            options={
                "verbose_name": "restricted link",
                "verbose_name_plural": "restricted links",
            },
        ),
        migrations.AddField(
            model_name="site",
            name="erasure",
            field=models.CharField(
                choices=[("restrict", "restrict"), ("at_once", "forget at once")],
                default="restrict",
                help_text="What becomes of the link between a record and a person who asks to be erased: kept away from everybody until retention ends, or gone at once.",
                max_length=10,
                verbose_name="erasure",
            ),
        ),
        migrations.AddField(
            model_name="anchor",
            name="site",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="consent.site",
            ),
        ),
        migrations.AddField(
            model_name="count",
            name="site",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="consent.site",
            ),
        ),
        migrations.AddField(
            model_name="log",
            name="site",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="consent.site",
            ),
        ),
        migrations.AddField(
            model_name="removal",
            name="act",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="consent.entry",
            ),
        ),
        migrations.AddField(
            model_name="removal",
            name="entry",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="consent.entry",
            ),
        ),
        migrations.AddField(
            model_name="removal",
            name="site",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="consent.site",
            ),
        ),
        migrations.AddField(
            model_name="restricted",
            name="site",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="consent.site",
            ),
        ),
        migrations.AddConstraint(
            model_name="anchor",
            constraint=models.UniqueConstraint(
                fields=("site", "log", "tree_size", "kind", "name"), name="anchor_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="count",
            constraint=models.UniqueConstraint(
                fields=(
                    "site",
                    "day",
                    "what",
                    "notice",
                    "country",
                    "subdivision",
                    "rule",
                    "detail",
                ),
                name="count_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="log",
            constraint=models.UniqueConstraint(
                fields=("site", "number"), name="log_once"
            ),
        ),
        migrations.AddIndex(
            model_name="removal",
            index=models.Index(fields=["site", "act"], name="removal_act"),
        ),
        migrations.AddConstraint(
            model_name="removal",
            constraint=models.UniqueConstraint(
                fields=("site", "entry", "reason"), name="removal_once"
            ),
        ),
        migrations.AddIndex(
            model_name="restricted",
            index=models.Index(
                fields=["site", "restricted_at"], name="restricted_since"
            ),
        ),
    ]
