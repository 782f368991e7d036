"""What is only counted: lower bounds, without a row per page view or a person."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.models.site import Site


class Count(models.Model):
    """How often something happened on a UTC day at a place, on one site.

    `shown` counts notices shown, by the notice's hash; `gpc` requests with an applied
    signal; `gate` gates asked, by `detail` (purpose and answer).
    """

    class What(models.TextChoices):
        """What is counted."""

        SHOWN = "shown", _("notice shown")
        GPC = "gpc", _("signal applied")
        GATE = "gate", _("gate asked")

    site = models.ForeignKey(Site, models.PROTECT, related_name="+", db_index=False)
    day = models.DateField(_("day"))
    what = models.CharField(_("what"), max_length=10, choices=What)
    notice = models.CharField(_("notice"), max_length=71, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    subdivision = models.CharField(_("subdivision"), max_length=6, blank=True)
    rule = models.CharField(_("rule"), max_length=255, blank=True)
    detail = models.CharField(_("detail"), max_length=100, blank=True)
    times = models.BigIntegerField(_("times"), default=0)

    class Meta:
        verbose_name = _("count")
        verbose_name_plural = _("counts")
        constraints = [
            models.UniqueConstraint(
                fields=[
                    *("site", "day", "what", "notice"),
                    *("country", "subdivision", "rule", "detail"),
                ],
                name="count_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.what} {self.times}"
