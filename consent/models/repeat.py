"""Requests that may come twice: what their first answer was."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.models.site import Site


class Repeat(models.Model):
    """A choice that was sent with an `Idempotency-Key`, and the entry it became.

    It is written in the transaction of the entry, so that the same key cannot make a
    second one. `key` is the key's hash; `asked` and `held` are keyed with it and stand
    for what was sent and for the cookie that was sent along, which nobody without the
    key can tell. `state` is the choice as it then stood, as the cookie writes it; empty
    where it is an account's, which has its own row. The row is kept for a day, and
    names no person: what does is the entry's link.
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="+", db_index=False)
    key = models.BinaryField(_("key"), max_length=32)
    asked = models.BinaryField(_("request"), max_length=32)
    held = models.BinaryField(_("cookie"), max_length=32)
    state = models.TextField(_("state"), blank=True)
    entry = models.UUIDField(_("entry"))
    time = models.DateTimeField(_("time"))

    class Meta:
        verbose_name = _("repeatable request")
        verbose_name_plural = _("repeatable requests")
        constraints = [
            models.UniqueConstraint(fields=["site", "key"], name="repeat_once")
        ]
        indexes = [models.Index(fields=["site", "time"], name="repeat_time")]

    def __str__(self) -> str:
        return self.entry.hex
