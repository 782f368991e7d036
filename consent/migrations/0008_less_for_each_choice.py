"""Less to write for each choice: an index that nothing asks, and checks made once.

Verifying finds entries by where they stand, so that none looks them up by their time.
That a site is there is checked for an entry, and no longer for each row that belongs to
it. SQLite goes on checking it, at next to no cost: to leave it out there, tables with
triggers would have to be made anew.
"""

import django.db.models.deletion
from django.db import migrations, models

_OF_ENTRY = ("content", "link", "waiting", "restricted")


def _drop_checks(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        for name in _OF_ENTRY:
            table = f"consent_{name}"
            found = schema_editor.connection.introspection.get_constraints(
                cursor, table
            )
            for constraint, told in found.items():
                if told["foreign_key"] and told["columns"] == ["site_id"]:
                    schema_editor.execute(
                        f'ALTER TABLE {table} DROP CONSTRAINT "{constraint}"'
                    )


class Migration(migrations.Migration):
    dependencies = [("consent", "0007_append_in_one_statement")]
    # There is no way back: what was written meanwhile was not checked.
    operations = [
        migrations.RemoveIndex(model_name="entry", name="entry_recent"),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(_drop_checks)],
            state_operations=[
                migrations.AlterField(
                    model_name=name,
                    name="site",
                    field=models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="consent.site",
                    ),
                )
                for name in _OF_ENTRY
            ],
        ),
    ]
