"""An editor confirms each language that nobody has reviewed.

What sites show already goes on being shown.
"""

from django.db import migrations, models


def _confirm(apps, schema_editor):
    for site in apps.get_model("consent", "Site").objects.all():
        site.unreviewed_languages = [code for code in site.languages if code != "en"]
        site.save(update_fields=["unreviewed_languages"])


class Migration(migrations.Migration):
    dependencies = [("consent", "0008_less_for_each_choice")]
    operations = [
        migrations.AddField(
            model_name="site",
            name="unreviewed_languages",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="Languages whose translation no native speaker and no lawyer "
                "has reviewed, and that you publish all the same.",
                verbose_name="unreviewed languages that are shown",
            ),
        ),
        migrations.RunPython(_confirm, migrations.RunPython.noop),
    ]
