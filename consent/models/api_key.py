"""Keys by which a site's other programs ask, kept as hashes."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.models.site import Site


class ApiKey(models.Model):
    """A key of one site and for some kinds of question.

    The key itself is shown once. It is 256 random bits, so that its plain SHA-256 tells
    nothing of it. `name` is what people call it.
    """

    class Scope(models.TextChoices):
        """What a key may ask."""

        PERMISSIONS = "permissions", _("permissions of persons")
        DELIVERIES = "deliveries", _("who was told of a choice")

    site = models.ForeignKey(Site, models.PROTECT, related_name="+", db_index=False)
    number = models.CharField(_("key"), max_length=8, unique=True)
    digest = models.CharField(_("digest"), max_length=64)
    name = models.CharField(_("name"), max_length=100)
    scopes = models.JSONField(_("scopes"), default=list)
    made_at = models.DateTimeField(_("made at"))
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"{self.name} ({self.number})"
