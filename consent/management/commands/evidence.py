"""`manage.py evidence --visitor ID --out FILE.zip`: a pack that others can check."""

import contextlib
import io
import os
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as AnyDatabaseError

from consent.audit.evidence import evidence
from consent.audit.log_evidence import UnrelatedCheckpointError
from consent.audit.pack import verify_evidence
from consent.audit.people import (
    Found,
    NobodyError,
    Person,
    accounts_of,
    records_of,
    restricted_exist,
    the_site,
)
from consent.core.signed_note import NoteError
from consent.models import Site


class Command(BaseCommand):
    """Write the evidence of a person's records, or of one record, to a zip file."""

    help = (
        "Write a zip file with the records of a visitor or an account, or one record, "
        "and everything it takes to check them offline."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--visitor", metavar="ID", help="a visitor id")
        whose.add_argument(
            "--user", metavar="KEY", help="an account: its key or its username"
        )
        whose.add_argument("--receipt", metavar="NUMBER", help="one receipt's number")
        parser.add_argument(
            "--site", help="the site's short name, where there are more"
        )
        parser.add_argument(
            "--out", type=Path, required=True, metavar="FILE.zip", help="where to"
        )
        parser.add_argument(
            "--restricted",
            action="store_true",
            help="also records that were erased and are kept for legal claims alone",
        )
        parser.add_argument(
            "--checkpoint",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="a checkpoint, or receipt, that somebody kept: prove growth from it",
        )

    def handle(self, **options: Any) -> None:  # noqa: ANN401
        try:
            self._handle(options)
        except (NobodyError, UnrelatedCheckpointError, NoteError) as error:
            raise CommandError(str(error)) from error
        except AnyDatabaseError as error:
            raise CommandError(f"The database cannot be read: {error}") from error

    def _handle(self, options: dict[str, Any]) -> None:
        site = the_site(options["site"])
        person = Person(*(options[n] for n in ("visitor", "user", "receipt")))
        records = self._records(site, person, restricted=options["restricted"])
        notes = [_note(path) for path in options["checkpoint"]]
        pack = evidence(site=site, records=records, kept_outside=notes)
        _write(options["out"], pack.body)
        self.stdout.write(f"{options['out']}: {pack.records} records of {site.slug}.")
        if pack.unsealed:
            self.stdout.write(
                f"{pack.unsealed} of them wait for their place in the log: run "
                "manage.py seal_ledger, then make the pack again."
            )
        self._check(options["out"])

    def _records(self, site: Site, person: Person, *, restricted: bool) -> list[Found]:
        records = list(records_of(site=site, person=person, restricted=restricted))
        hidden = restricted_exist(site=site, person=person)
        if hidden and not restricted:
            self.stdout.write(
                "Records of this person were erased and are kept for legal claims "
                "alone. They are not in the pack: --restricted adds them."
            )
        elif hidden:
            self.stdout.write(
                "The pack holds records that the person had erased: use it for legal "
                "claims alone (GDPR art. 18(2))."
            )
        if person.visitor is not None and accounts_of(
            site=site, visitor=person.visitor
        ):
            self.stdout.write(
                "Other records were given by somebody signed in at this browser; they "
                "are the account's: --user."
            )
        if not records:
            raise CommandError(f"{site.slug} has no record for that.")
        return records

    def _check(self, path: Path) -> None:
        """Let the pack's own verifier read what was written, as its reader will."""
        told = io.StringIO()
        with contextlib.redirect_stdout(told):
            report = verify_evidence.verify_pack(path, [], [])
        if report.wrong:
            raise CommandError(
                f"{told.getvalue()}The pack is written, and its verifier finds it "
                "wrong. Run manage.py verify_ledger."
            )
        if not report.unsealed:
            self.stdout.write("Its verifier finds everything right.")


def _note(path: Path) -> str:
    try:
        return verify_evidence.note_in(path)
    except verify_evidence.BROKEN as error:
        raise CommandError(f"{path} holds no checkpoint: {error}") from error


def _write(path: Path, body: bytes) -> None:
    """Write the file whole or not at all, readable by its owner alone."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
