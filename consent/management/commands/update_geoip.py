"""Fetch or refresh the geo database of a MaxMind account."""

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from consent.geolocation import DatabaseStatus, anonymous_status, status
from consent.geolocation.database import UnusableDatabaseError
from consent.geolocation.download import (
    DEFAULT_URL,
    TIMEOUT_SECONDS,
    Account,
    DownloadError,
    update,
)
from consent.geolocation.lookup import fetched_path, prove_in_use


class Command(BaseCommand):
    """`manage.py update_geoip [--check] [--timeout SECONDS]`."""

    help = (
        "Fetches GEOIP_EDITION with GEOIP_ACCOUNT_ID and GEOIP_LICENSE_KEY, verifies "
        "it and swaps it in; running servers follow by themselves. Run it weekly."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="fetch nothing: read every record of the databases in use, show them, "
            "and fail if one is no good",
        )
        parser.add_argument(
            "--timeout", type=float, default=TIMEOUT_SECONDS, metavar="SECONDS"
        )

    def handle(
        self, *_args: object, check: bool, timeout: float, **_options: object
    ) -> None:
        if check:
            self._check()
            return
        target = fetched_path()
        try:
            database = update(_account(), target, timeout=timeout)
        except DownloadError as error:
            raise CommandError(f"{error} Nothing was changed.") from error
        self.stdout.write(f"{database.label} is in place at {target}.")
        self._prove()

    def _prove(self) -> None:
        """Let running servers use the fast reader, which damaged files would end."""
        try:
            prove_in_use()
        except UnusableDatabaseError as error:
            raise CommandError(f"A geo database {error}. Replace it.") from error
        except OSError as error:
            self.stderr.write(
                f"Lookups stay slow: {settings.CONSENT_DATA_DIR} cannot be written "
                f"({error.strerror})."
            )

    def _check(self) -> None:
        self._prove()
        found = [state for state in (status(), anonymous_status()) if state]
        for state in found:
            self.stdout.write(_line(state))
        problems = [state.problem for state in found if state.problem]
        if problems:
            raise CommandError(" ".join(problems))


def _account() -> Account:
    number, key = settings.GEOIP_ACCOUNT_ID, settings.GEOIP_LICENSE_KEY
    if not number or not key:
        raise CommandError(
            "No MaxMind account is configured: set GEOIP_ACCOUNT_ID and "
            "GEOIP_LICENSE_KEY (a free GeoLite account is enough), or put a database "
            "somewhere yourself and set GEOIP_PATH. Until then the embedded database "
            "answers, by country."
        )
    url = settings.GEOIP_DOWNLOAD_URL or DEFAULT_URL
    return Account(str(number), str(key), settings.GEOIP_EDITION, url)


def _line(state: DatabaseStatus) -> str:
    if state.edition is None:
        return f"{state.path}: no database."
    words = [f"{state.path}: {state.edition}, built {state.built}"]
    words.append(f"{state.age_days} days old")
    if state.stale:
        words.append("worth refreshing")
    return ", ".join(words) + "."
