"""`manage.py erase_visitor`: erase a person's records because they asked for it."""

import uuid
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as AnyDatabaseError

from consent import publication
from consent.audit.erasure import (
    Erased,
    Person,
    account_with,
    erase,
    erase_record,
    links_of,
    unattended,
    with_those_from,
)
from consent.audit.people import NobodyError, account
from consent.audit.withdrawing import Said, refuses_everything
from consent.core.record import Surface
from consent.decision import stored_choice
from consent.models import Content, Link, Removal
from consent.publication import Published


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be erased on one site: a person's records, or one by its number."""

    here: Published
    records: int
    person: Person | None
    number: uuid.UUID | None


class Command(BaseCommand):
    """Erase the records of a visitor or an account, or one record, on every site."""

    help = (
        "Erase the records of a visitor or an account, or one record, as the person "
        "could do it themselves: what ties the records to them goes, and everything "
        "optional is refused. A browser keeps its own cookie until that ends."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--visitor", metavar="ID", help="a visitor id")
        whose.add_argument(
            "--user", metavar="KEY", help="an account: its key or its username"
        )
        whose.add_argument("--receipt", metavar="NUMBER", help="one receipt's number")
        parser.add_argument("--site", help="the short name of one site; else all")
        parser.add_argument(
            "--dry-run", action="store_true", help="only count what would be erased"
        )
        parser.add_argument(
            "--yes", action="store_true", help="do not ask whether that is meant"
        )

    def handle(self, **options: Any) -> None:  # noqa: ANN401
        try:
            self._handle(options)
        except NobodyError as error:
            raise CommandError(str(error)) from error
        except AnyDatabaseError as error:
            raise CommandError(f"Not everything was erased: {error}") from error

    def _handle(self, options: dict[str, Any]) -> None:
        jobs = list(_jobs(options))
        for job in jobs:
            self.stdout.write(f"{job.here.site.slug}: {_counted(job)} to erase.")
        if options["visitor"]:
            self._tell_of_accounts(options["visitor"])
        if not jobs:
            self.stdout.write("There is nothing to erase.")
        elif not options["dry_run"] and (options["yes"] or _meant()):
            for job in jobs:
                self._erase(job)

    def _tell_of_accounts(self, visitor: str) -> None:
        others = Link.objects.filter(visitor=visitor).exclude(user="").count()
        if others:
            self.stdout.write(
                f"{others} more were given by somebody signed in at this browser; they "
                "are the account's: --user."
            )

    def _erase(self, job: Job) -> None:
        consent, slug = unattended(job.here), job.here.site.slug
        if job.number:
            erased = erase_record(consent, job.number)
        elif job.person:
            erased = erase(consent, job.person, Said(Surface.API, None))
        self.stdout.write(f"{slug}: {_told(erased)}")


def _jobs(options: dict[str, Any]) -> Iterator[Job]:
    """What there is to erase, site by site."""
    number = _number(options["receipt"]) if options["receipt"] is not None else None
    person = _person(options["user"], options["visitor"])
    for here in _sites(options["site"]):
        if not here.policy.version:
            continue  # nothing was published, so that nobody could answer anything
        if number is not None:
            found = _records(here, number)
        else:
            found = links_of(here.site, person).count()
        if found or _chosen(here, person):
            yield Job(here, found, person, number)


def _sites(slug: str | None) -> list[Published]:
    sites = [p for p in publication.published() if slug in {None, p.site.slug}]
    if not sites:
        raise CommandError(f"There is no site {slug}." if slug else "There is no site.")
    return sites


def _number(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(hex=text)
    except ValueError:
        raise CommandError(f"{text} is no receipt number.") from None


def _person(user: str | None, visitor: str | None) -> Person:
    if user is None:
        return Person(visitor=visitor)
    key = account(user)
    found = account_with(key)
    # As links have it: "07" finds the account 7 as well.
    return Person(user=key if found is None else str(found.user), account=found)


def _records(here: Published, number: uuid.UUID) -> int:
    """How many go with such a record that is not erased yet; 0 where there is none."""
    records = Content.objects.filter(pk=number, site=here.site, kind="consent")
    erased = Removal.objects.filter(
        site=here.site, entry=number, reason=Removal.Reason.ERASURE
    )
    if erased.exists() or not records.exists():
        return 0
    return len(with_those_from(here.site, number))


def _chosen(here: Published, person: Person) -> bool:
    """Whether an account has a choice that lets something run, whoever has records."""
    if person.account is None:
        return False
    row = person.account.row_of(here.site).exclude(receipt="").first()
    return row is not None and not refuses_everything(stored_choice(row))


def _counted(job: Job) -> str:
    return "1 record" if job.records == 1 else f"{job.records} records"


def _meant() -> bool:
    try:
        return input("Type yes to erase that for ever: ").strip() == "yes"
    except EOFError:
        raise CommandError("Nothing was erased: say --yes.") from None


def _told(erased: Erased) -> str:
    done = f"{erased.records} erased."
    if erased.kept is None:
        return done
    return f"{done} Receipt of the refusal: {erased.kept.receipt.id}"
