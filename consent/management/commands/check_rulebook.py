"""`manage.py check_rulebook` says whether the rule book is sound and how well known."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from consent.rulebook import RuleBook, RuleBookError, load, problems, summary
from consent.rulebook.iso import LIBRARY, Codes, installed_codes


class Command(BaseCommand):
    """Print what the book consists of and what is wrong with it; problems exit 1."""

    help = "Check the rule book's data: dates, codes of places, models, laws."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="print problems only, no summary"
        )

    def handle(self, *_args: object, **options: object) -> None:
        codes = installed_codes()
        if codes is None:
            message = (
                f"Codes of places cannot be checked: {LIBRARY} is not installed; "
                "it comes with requirements/test.txt."
            )
            raise CommandError(message)
        try:
            book = load()
        except RuleBookError as error:
            raise CommandError(str(error)) from error
        if not options["check"]:
            self._summarise(book, codes)
        found = problems(book, codes)
        for problem in found:
            self.stderr.write(problem)
        if found:
            message = f"{len(found)} problems in the rule book."
            raise CommandError(message)

    def _summarise(self, book: RuleBook, codes: Codes) -> None:
        self.stdout.write(f"Rule book {book.version}")
        self.stdout.write(f"Codes of places checked against {codes.source}")
        for line in summary(book).lines():
            self.stdout.write(line)
