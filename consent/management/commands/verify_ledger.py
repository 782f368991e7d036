"""`manage.py verify_ledger`: that the ledger is what was once signed, all of it."""

import json
import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as AnyDatabaseError

from consent.audit.verify import Wanted, outside_findings, verify
from consent.audit.verifying import telling
from consent.audit.verifying.outside import Held, held
from consent.audit.verifying.receipts import HeldReceipt, NoReceiptError
from consent.core.signed_note import ED25519, NoteError, parse_verifier_key
from consent.models import Site

_UNUSABLE: Final = 2
_EVERY_SECONDS: Final = 0.5


class Command(BaseCommand):
    """Verify every site's ledger, or one."""

    help = (
        "Verify the ledger. Exits with 1 and names the first bad entry where anything "
        "is wrong, and with 2 where it cannot be read."
    )
    # A database that cannot be read is told of here, and not by a check before.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--site", help="the short name of one site; else all")
        parser.add_argument(
            "--jobs",
            type=int,
            metavar="N",
            default=os.cpu_count() or 1,
            help="how many processes work on it; as many as processors when left out",
        )
        parser.add_argument(
            "--signatures",
            action="store_true",
            help="verify the signature of every receipt and of every checkpoint too, "
            "which takes much longer",
        )
        parser.add_argument("--json", action="store_true", dest="as_json")
        several: Any = {"action": "append", "default": []}
        parser.add_argument(
            "--checkpoint",
            type=Path,
            metavar="FILE",
            help="a checkpoint that somebody kept: the log must still agree with it",
            **several,
        )
        parser.add_argument(
            "--receipt",
            type=Path,
            metavar="FILE",
            help="a receipt (JSON) that somebody kept: its record must still be there",
            **several,
        )
        parser.add_argument(
            "--key",
            metavar="NAME+HASH+KEY",
            help="believe this verifier key, and none that the database knows",
            **several,
        )

    def handle(self, **options: Any) -> None:  # noqa: ANN401
        try:
            first = self._verify(options)
        except AnyDatabaseError as error:
            raise _unusable(f"The database cannot be read: {error}") from error
        except BrokenExecutor as error:
            says = "A process was ended before it was done: try fewer --jobs."
            raise _unusable(says) from error
        if first is not None:
            raise CommandError(first)

    def _verify(self, options: dict[str, Any]) -> str | None:
        """Verify, and tell of it; the first thing that is wrong."""
        wanted = _wanted(options)
        general = list(outside_findings(wanted, whole=not options["site"]))
        reports = []
        for report in verify(wanted, tell=self._progress()):
            reports.append(report)
            if not options["as_json"]:
                told = telling.lines(report, signatures=wanted.signatures)
                self.stdout.write("\n".join(told))
        if options["as_json"]:
            document = telling.document(reports, general)
            self.stdout.write(json.dumps(document, indent=2, ensure_ascii=False))
        else:
            self.stdout.write("\n".join([*map(str, general), *telling.proved()]))
        return telling.first(reports, general)

    def _progress(self) -> Callable[[int, int], None] | None:
        """What tells somebody at a terminal how far it is."""
        if not sys.stderr.isatty():
            return None
        began = told = time.monotonic()

        def tell(done: int, total: int) -> None:
            nonlocal told
            now = time.monotonic()
            if done < total and now - told < _EVERY_SECONDS:
                return
            told = now
            rate = done / max(now - began, 1e-9)
            left = f"{rate:,.0f} a second, {(total - done) / rate:,.0f} s left "
            ending = "" if done < total else "\n"
            self.stderr.write(f"\r{done:,} of {total:,}, {left}", ending=ending)
            self.stderr.flush()

        return tell


def _wanted(options: dict[str, Any]) -> Wanted:
    sites = Site.objects.order_by("slug")
    if options["site"]:
        sites = sites.filter(slug=options["site"])
        if not sites:
            raise _unusable(f"There is no site {options['site']}.")
    return Wanted(
        sites=list(sites),
        jobs=options["jobs"],
        signatures=options["signatures"],
        keys=[_key(line) for line in options["key"]],
        checkpoints=[_checkpoint(path) for path in options["checkpoint"]],
        receipts=[_receipt(path) for path in options["receipt"]],
    )


def _key(line: str) -> bytes:
    try:
        key = parse_verifier_key(line)
    except NoteError as error:
        raise _unusable(f"--key {line}: {error}.") from error
    if key.algorithm != ED25519:
        raise _unusable(f"--key {line}: it is the key of a witness, not of a log.")
    return key.public


def _checkpoint(path: Path) -> Held:
    try:
        return held(path.name, _text(path))
    except NoteError as error:
        raise _unusable(f"{path} is no checkpoint: {error}.") from error


def _receipt(path: Path) -> HeldReceipt:
    try:
        return HeldReceipt.of(path.name, json.loads(_text(path)))
    except (NoReceiptError, json.JSONDecodeError) as error:
        raise _unusable(f"{path} is no receipt: {error}.") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise _unusable(f"{path} cannot be read: {error}.") from error


def _unusable(says: str) -> CommandError:
    return CommandError(says, returncode=_UNUSABLE)
