"""`manage.py publish_policy SITE FILE.json`: publish a site's next policy version."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import Error as AnyDatabaseError
from django.utils import timezone

from consent.models import PolicyVersion, Site
from consent.publication import publish


class Command(BaseCommand):
    """Publish a policy from a file."""

    help = "Publish a site's next policy version from a JSON document."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("site", help="the site's short name")
        parser.add_argument("file", type=Path, help="the policy as a JSON document")
        parser.add_argument(
            "--note", default="", help="why, for those who read it later"
        )

    def handle(self, **options: Any) -> None:  # noqa: ANN401
        document = _read(options["file"])
        try:
            version = _publish(options["site"], document, options["note"])
        except AnyDatabaseError as error:
            raise CommandError(f"The database refused the policy: {error}") from error
        self.stdout.write(
            f"Published version {version.version} of {options['site']}: {version.hash}"
        )


def _read(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{path} is no JSON document: {error}") from error


def _publish(slug: str, document: Any, note: str) -> PolicyVersion:  # noqa: ANN401
    site = Site.objects.filter(slug=slug).first()
    if site is None:
        known = ", ".join(Site.objects.order_by("slug").values_list("slug", flat=True))
        raise CommandError(f"There is no site {slug}. Sites: {known or 'none yet'}.")
    try:
        return publish(
            site=site, document=document, at=timezone.now(), by=None, note=note
        )
    except ValidationError as error:
        wrong = "\n".join(f"  {sentence}" for sentence in error.messages)
        raise CommandError(f"The policy was not published:\n{wrong}") from error
