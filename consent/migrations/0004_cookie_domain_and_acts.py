"""A cookie domain must be one, and a site's acts are found among many choices."""

import re

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0003_primary_keys_by_site"),
    ]

    operations = [
        migrations.AlterField(
            model_name="site",
            name="audience",
            field=models.CharField(
                choices=[
                    ("general", "general"),
                    ("mixed", "mixed"),
                    ("children", "children"),
                ],
                default="general",
                help_text="Counts from the next publication of the site’s policy.",
                max_length=10,
                verbose_name="audience",
            ),
        ),
        migrations.AlterField(
            model_name="site",
            name="cookie_domain",
            field=models.CharField(
                blank=True,
                help_text="For example example.org. Empty: each host has its own cookie.",
                max_length=255,
                validators=[
                    django.core.validators.RegexValidator(
                        re.compile(
                            "\\A(?=.{1,253}\\Z)\\.?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+(?=[0-9-]*[a-z])[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\Z"
                        ),
                        "A cookie domain is like example.org, in small letters.",
                    )
                ],
                verbose_name="cookie domain",
            ),
        ),
        migrations.AddIndex(
            model_name="content",
            index=models.Index(
                condition=models.Q(("kind", "act")),
                fields=["site", "event", "-time"],
                name="content_acts",
            ),
        ),
    ]
