"""Beginning a log: the first of a site, and one after a log that had to be closed."""

from datetime import datetime

from django.db import transaction

from consent.models import Log, Site


def first_log(site: Site, at: datetime) -> Log:
    """A site's first log, made where there is none; two at once make one."""
    made, _new = Log.objects.get_or_create(
        site=site, number=1, defaults={"origin": origin(site, 1), "opened_at": at}
    )
    return made


def open_log(*, site: Site, number: int, at: datetime) -> Log:
    """Begin a log with a number of its own; the one before is thereby closed.

    IntegrityError where another has begun it.
    """
    with transaction.atomic():
        return Log.objects.create(
            site=site, number=number, origin=origin(site, number), opened_at=at
        )


def origin(site: Site, number: int) -> str:
    """The name of a log for ever, and of the key that signs it: host and path.

    The first host that the site had when the log began; of a wildcard, what it is of.
    """
    host = next(iter(site.hosts), "localhost").removeprefix("*.")
    first = f"{host}/log/{site.slug}"
    return first if number == 1 else f"{first}/{number}"
