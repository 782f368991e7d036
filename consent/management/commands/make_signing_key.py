"""`manage.py make_signing_key FILE`: a key that signs receipts and checkpoints."""

import os
import stat
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from consent.keys import new_key


class Command(BaseCommand):
    """Make an Ed25519 key, readable by its owner alone; never over another."""

    help = "Make the key that signs receipts and checkpoints, in a private file."
    # It is called while the settings lack the very key.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="where to put it; must not exist")

    def handle(self, **options: Any) -> None:  # noqa: ANN401
        path: Path = options["file"]
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            descriptor = os.open(path, flags, stat.S_IRUSR | stat.S_IWUSR)
        except FileExistsError as error:
            raise CommandError(f"{path} is there already; keys are kept.") from error
        except OSError as error:
            raise CommandError(f"{path} cannot be made: {error.strerror}.") from error
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(new_key() + "\n")
        self.stdout.write(
            f"Made {path}. Keep a copy where nobody else reads it, and start with "
            f"CONSENT_SIGNING_KEY_FILE={path}\n"
            "To change the key of a running log, give the old one as "
            "CONSENT_RETIRING_KEY_FILE for some weeks."
        )
