"""Whose a choice is beside a browser's: a user of ours, or a person vouched for.

Both have one row with what they chose (`Preference`), and share it over all their
browsers.
"""

from dataclasses import dataclass

from django.db.models import QuerySet, Subquery

from consent.models import Linked, Preference, Site


@dataclass(frozen=True, slots=True)
class Account:
    """Exactly one of the two: a user's key, or a vouched identity (a keyed hash)."""

    user: int | None = None
    identity: str = ""

    def row_of(self, site: Site) -> QuerySet[Preference]:
        """The account's row on a site, if there is one."""
        return Preference.objects.filter(
            site=site, user=self.user, identity=self.identity
        )


def linked(site: Site, visitor: str) -> Preference | None:
    """The row of the person whom a browser is linked to; None where it is not."""
    identity = Linked.objects.filter(site=site, visitor=visitor).values("identity")
    found = Preference.objects.filter(site=site, identity=Subquery(identity[:1]))
    return found.first()
