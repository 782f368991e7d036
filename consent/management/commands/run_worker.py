"""`manage.py run_worker`: seal, anchor and prune, until it is told to stop."""

import signal
from argparse import ArgumentParser
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand

from consent import background


class Command(BaseCommand):
    """The worker; several may run, and each log is sealed by one at a time."""

    help = "Seal the ledgers every second, ask for anchors, and prune once a day."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="do everything once, and stop"
        )

    def handle(self, **options: Any) -> None:  # noqa: ANN401
        chores = [chore for todo in background.chores() for chore in todo]
        if options["once"]:
            for chore in chores:
                chore.work()
            return
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        self.stdout.write("Working: " + ", ".join(chore.name for chore in chores))
        background.work(stop)
        self.stdout.write("Stopped.")
