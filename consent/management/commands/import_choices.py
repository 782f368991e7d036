"""`manage.py import_choices`: take over what people answered to an earlier tool."""

import csv
import os
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as AnyDatabaseError
from django.utils import timezone

from consent import publication
from consent.core.imports import Role, Source, Wishes, purposes
from consent.imports import (
    Bad,
    Counts,
    FileError,
    People,
    Plan,
    PlanError,
    TableFile,
    check,
    run,
    visitors_of,
)
from consent.publication import Published

# How many rows that are not understood are told one by one.
_TOLD: Final = 50

type Keep = Callable[[list[object]], object]


class Command(BaseCommand):
    """Import a table of answers, as records that say `imported`."""

    help = (
        "Import what people answered to an earlier tool (docs/import.md). Refusals "
        "count; grants only with --same-as, and for as long as one given then would. "
        "A run that was stopped goes on; a file that is in adds nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", help="the table, in CSV")
        parser.add_argument("--site", required=True, help="the site's short name")
        parser.add_argument(
            "--from", dest="source", required=True, choices=[*Source], help="whose"
        )
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="PURPOSE=NAME[,NAME]",
            help="what of the table a purpose stands for; may be said again",
        )
        parser.add_argument(
            "--column",
            action="append",
            default=[],
            metavar="ROLE=HEADER",
            help=f"what a column is called; roles are {', '.join(Role)}",
        )
        parser.add_argument(
            "--same-as",
            type=int,
            metavar="VERSION",
            help="the policy version that the earlier tool asked the same as, of "
            "everybody and before anything ran",
        )
        parser.add_argument(
            "--accounts",
            metavar="FIELD",
            help="the field of users that identifiers name accounts by, or key",
        )
        self._add_ways(parser)

    def _add_ways(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="only check the table and count"
        )
        parser.add_argument(
            "--skip-bad",
            type=Path,
            metavar="FILE",
            help="write rows that are not understood to this file, and import the rest",
        )
        parser.add_argument(
            "--again", action="store_true", help="import a file that is in already"
        )
        parser.add_argument(
            "--who",
            metavar="IDENTIFIER",
            help="only tell the visitor id that stands for an identifier",
        )

    def handle(self, **options: Any) -> None:  # noqa: ANN401
        here = publication.by_slug(options["site"])
        if here is None or not here.policy.version:
            raise CommandError(f"There is no site {options['site']} with a policy.")
        if options["who"] is not None:
            self._tell_who(here, options)
            return
        if options["file"] is None:
            raise CommandError("Say which file.")
        try:
            self._import(here, options)
        except (FileError, PlanError, LookupError) as error:
            raise CommandError(str(error)) from error
        except AnyDatabaseError as error:
            raise CommandError(
                f"Not everything was imported: {error} The same command goes on."
            ) from error

    def _tell_who(self, here: Published, options: dict[str, Any]) -> None:
        found = visitors_of(
            site=here.site.slug, source=Source(options["source"]), who=options["who"]
        )
        for visitor in found:
            self.stdout.write(visitor)

    def _import(self, here: Published, options: dict[str, Any]) -> None:
        source = Source(options["source"])
        file = TableFile(options["file"], source=source, wishes=_wishes(options))
        plan = _plan(here, source, options)
        now = timezone.now()
        with _kept(options) as keep:
            told = _Told(self, keep)
            found = check(file, plan, now=now, on_bad=told)
        self._tell(found)
        if found.bad and options["skip_bad"] is None:
            raise CommandError(
                f"Nothing was imported: {found.bad} rows are not understood. Correct "
                "them, or say --skip-bad FILE."
            )
        if options["dry_run"]:
            self.stdout.write("Nothing was imported: --dry-run.")
            return
        done = run(file, plan, now=now, again=options["again"])
        self.stdout.write(f"{here.site.slug}: {done.records} records imported.")

    def _tell(self, found: Counts) -> None:
        self.stdout.write(
            f"{found.rows} rows, {found.answers} answers: {found.nothing} of which "
            f"nothing counts here, {found.accounts} of accounts."
        )
        if found.tests:
            self.stdout.write(f"{found.tests} rows are called tests, and do not count.")
        if found.unmapped:
            names = ", ".join(sorted(found.unmapped))
            self.stdout.write(f"No purpose stands for: {names}.")
        if found.bad:
            self.stdout.write(f"{found.bad} rows are not understood.")


class _Told:
    """Tells of rows that are not understood: all to a file, the first to people."""

    def __init__(self, command: Command, keep: Keep | None) -> None:
        self._command = command
        self._keep = keep
        self._count = 0

    def __call__(self, bad: Bad) -> None:
        self._count += 1
        if self._count <= _TOLD:
            self._command.stderr.write(f"line {bad.line}: {bad.says}")
        elif self._count == _TOLD + 1:
            self._command.stderr.write("and more, which are not told one by one")
        if self._keep is not None:
            self._keep([bad.line, bad.says, *bad.cells])


@contextmanager
def _kept(options: dict[str, Any]) -> Iterator[Keep | None]:
    """Where rows that are not understood go: a file for nobody else."""
    path: Path | None = options["skip_bad"]
    if path is None:
        yield None
        return
    if path.exists() and path.samefile(options["file"]):
        raise CommandError("--skip-bad names the table itself.")
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
    with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
        yield csv.writer(file).writerow


def _plan(here: Published, source: Source, options: dict[str, Any]) -> Plan:
    number = options["same_as"]
    same_as = here.version(number)
    if number is not None and same_as is None:
        raise CommandError(f"{here.site.slug} never published version {number}.")
    field = options["accounts"] or ("key" if source is Source.CSV else None)
    return Plan(
        here=here,
        source=source,
        same_as=same_as,
        people=None if field is None else People(field),
    )


def _wishes(options: dict[str, Any]) -> Wishes:
    names: dict[str, list[str]] = {}
    for purpose, theirs in _pairs("--map", options["map"]):
        words = [name.strip() for name in theirs.split(",")]
        names.setdefault(purpose, []).extend(filter(None, words))
    columns = dict(_pairs("--column", options["column"]))
    strange = columns.keys() - set(Role)
    if strange:
        raise CommandError(f"--column: {min(strange)} is none of {', '.join(Role)}.")
    try:
        found = purposes(names) if names else {}
    except ValueError as error:
        raise CommandError(f"--map: {error}.") from error
    return Wishes(names=found, columns={Role(r): name for r, name in columns.items()})


def _pairs(option: str, values: Sequence[str]) -> Iterable[tuple[str, str]]:
    for value in values:
        name, equals, rest = value.partition("=")
        if not equals or not name.strip() or not rest.strip():
            raise CommandError(f"{option}: {value} has no = between two words.")
        yield name.strip(), rest.strip()
