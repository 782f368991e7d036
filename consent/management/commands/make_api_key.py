"""`manage.py make_api_key`: a key by which a site's other programs ask."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from consent import api_keys
from consent.audit.people import NobodyError, the_site
from consent.models import ApiKey


class Command(BaseCommand):
    """Make, replace or end a key."""

    help = "Make a key by which a site's other programs ask. It is printed once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        scopes = [scope.value for scope in ApiKey.Scope]
        parser.add_argument("--site", help="the site's short name")
        parser.add_argument("--name", help="what people call the key")
        parser.add_argument(
            "--scope", action="append", choices=scopes, help="what it may ask"
        )
        parser.add_argument("--days", type=int, help="how long it counts")
        parser.add_argument(
            "--replace", metavar="KEY", help="make one like it, and let it end"
        )
        parser.add_argument(
            "--overlap", type=int, default=7, metavar="DAYS", help="when it ends (7)"
        )
        parser.add_argument("--end", metavar="KEY", help="let a key end now")

    def handle(self, **options: Any) -> None:  # noqa: ANN401
        now = timezone.now()
        if options["end"]:
            api_keys.end(_row(options["end"]), at=now)
            self.stdout.write(f"The key {options['end']} counts no more.")
        elif options["replace"]:
            overlap = timedelta(days=options["overlap"])
            row = _row(options["replace"])
            self._tell(*api_keys.replace(row, at=now, overlap=overlap))
        else:
            self._tell(*_made(options))

    def _tell(self, row: ApiKey, text: str) -> None:
        self.stdout.write(text)
        self.stderr.write(
            f"{row.name} of {row.site.slug}: {', '.join(row.scopes)}. Keep it safe: it "
            "is not shown again."
        )


def _row(number: str) -> ApiKey:
    row = ApiKey.objects.filter(number=number).select_related("site").first()
    if row is None:
        raise CommandError(f"There is no key {number}: say its 8 digits.")
    return row


def _made(options: dict[str, Any]) -> tuple[ApiKey, str]:
    if not options["name"]:
        raise CommandError("Say what people call the key: --name.")
    if options["days"] is not None and options["days"] < 1:
        raise CommandError("--days must be 1 or more.")
    try:
        site = the_site(options["site"])
    except NobodyError as error:
        raise CommandError(str(error)) from error
    now, days = timezone.now(), options["days"]
    return api_keys.make(
        site=site,
        name=options["name"],
        scopes=[ApiKey.Scope(s) for s in options["scope"] or ["permissions"]],
        at=now,
        ends_at=None if days is None else now + timedelta(days=days),
    )
