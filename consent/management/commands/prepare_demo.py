"""`manage.py prepare_demo`: from nothing to a demo to serve; safe to repeat."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from consent.audit.reopening import begin_log
from consent.ledger import kept
from consent.management.demo_site import POLICY, SITE
from consent.models import PolicyVersion, Site
from consent.publication import publish

ACCOUNTS = ("admin", "auditor", "visitor")


class Command(BaseCommand):
    """Prepare data, site, policy and accounts for the demo."""

    help = "Prepare the demo: database, static files, a site with a policy, accounts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--new-passwords", action="store_true", help="set and print new passwords"
        )

    def handle(self, **options: Any) -> None:  # noqa: ANN401
        if not settings.DEBUG:
            raise CommandError(
                "The demo makes an administrator and a site of its own, and is "
                "prepared only with DEBUG=1."
            )
        settings.CONSENT_DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        call_command("migrate", verbosity=0, interactive=False)
        call_command("collectstatic", verbosity=0, interactive=False)
        self._site()
        self._accounts(new=options["new_passwords"])

    def _site(self) -> None:
        site, new = Site.objects.get_or_create(slug=SITE["slug"], defaults=SITE)
        if new and kept.numbers(site):
            # The database was removed and the checkpoints beside it were not: what
            # they signed is gone, so that another log begins.
            begin_log(site=site, at=timezone.now())
        if new or not PolicyVersion.objects.filter(site=site).exists():
            publish(
                site=site, document=POLICY, at=timezone.now(), by=None, note="The demo."
            )
            self.stdout.write("Published the demo site's policy, version 1.")

    def _accounts(self, *, new: bool) -> None:
        """Make the accounts that are missing, and print each password once."""
        users = get_user_model()
        printed = []
        for name in ACCOUNTS:
            user = users.objects.filter(username=name).first()
            if user is not None and not new:
                continue
            password = secrets.token_urlsafe(12)
            if user is None:
                user = users.objects.create_user(name)
                _give_rights(user, name)
            user.set_password(password)
            user.save()
            printed.append(f"  {name:8} {password}")
        if printed:
            lines = ["Accounts of the demo (printed once; make demo-passwords renews):"]
            self.stdout.write("\n".join([*lines, *printed]))


def _give_rights(user: Any, name: str) -> None:  # noqa: ANN401 - the project's own user
    user.is_staff = name != "visitor"
    user.is_superuser = name == "admin"
    user.save()
    if name == "auditor":
        looks = Permission.objects.filter(
            content_type__app_label="consent", codename__startswith="view_"
        )
        user.user_permissions.set(looks)
