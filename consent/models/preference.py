"""What people chose, as it stands now."""

from typing import Final

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.models.site import Site

# What stands for a receipt after an erasure. The record of the refusal was written in
# the same moment as the erased ones were removed: its number would name them all.
ERASED: Final = "erased"


class Preference(models.Model):
    """The current choice of a person on a site: what their records add up to.

    The person is a user who signs in here, or one whom the site's own backend vouches
    for (`identity`, a keyed hash; `minor` where it says that they are a child). It is
    written in the transaction of each record, so that a decision reads one row.
    `state` is a choice as the cookie writes it, `receipt` the newest record's number;
    a row without one is no choice yet, and after an erasure it is `ERASED`, because no
    record is tied to the account then. `kept_refused` are the purposes that the last
    sign-in turned from granted to refused, until the person has answered them.
    """

    site = models.ForeignKey(Site, models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        related_name="+",
        db_index=False,
    )
    identity = models.CharField(_("identity"), max_length=64, blank=True)
    minor = models.BooleanField(_("minor"), default=False)
    state = models.TextField(_("state"))
    receipt = models.CharField(_("receipt"), max_length=32, blank=True)
    kept_refused = models.JSONField(_("refusals kept at sign-in"), default=list)

    class Meta:
        verbose_name = _("preference")
        verbose_name_plural = _("preferences")
        constraints = [
            models.UniqueConstraint(fields=["site", "user"], name="preference_once"),
            models.UniqueConstraint(
                fields=["site", "identity"],
                condition=~models.Q(identity=""),
                name="preference_identity_once",
            ),
            models.CheckConstraint(
                condition=models.Q(user__isnull=False, identity="")
                | (models.Q(user__isnull=True) & ~models.Q(identity="")),
                name="preference_of_one",
            ),
        ]
        indexes = [models.Index(fields=["user"], name="preference_user")]

    def __str__(self) -> str:
        return f"{self.site_id}/{self.user_id or self.identity}"

    @property
    def named(self) -> str | None:
        """The receipt's number; None where the row names no record."""
        return None if self.receipt in {"", ERASED} else self.receipt
