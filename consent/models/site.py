"""Sites, and the documents they publish: policies, notices, rule books."""

import re
from typing import Final

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.core.policy import Audience

# A domain that browsers take for a cookie: names with a dot between them, no address.
COOKIE_DOMAIN: Final = re.compile(
    r"\A(?=.{1,253}\Z)\.?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+"
    r"(?=[0-9-]*[a-z])[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z"
)
# A host of a site: a name without a port, or `*.` for all subdomains, or an address.
HOST: Final = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")


class Erasure(models.TextChoices):
    """What an erasure does with the links of a person's records."""

    RESTRICT = "restrict", _("restrict")
    AT_ONCE = "at_once", _("forget at once")


class Site(models.Model):
    """A set of hosts that share one policy and one log.

    The slug names the log for ever: it is never changed and never used again.
    """

    slug = models.CharField(
        _("short name"),
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9-]{1,40}$")],
    )
    name = models.CharField(_("name"), max_length=200)
    hosts = models.JSONField(
        _("hosts"), default=list, help_text=_('For example ["example.org"].')
    )
    allowed_origins = models.JSONField(
        _("allowed origins"),
        default=list,
        blank=True,
        help_text=_('Other origins that may use the API: ["https://app.example.org"].'),
    )
    languages = models.JSONField(_("languages"), default=list)
    unreviewed_languages = models.JSONField(
        _("unreviewed languages that are shown"),
        default=list,
        blank=True,
        help_text=_(
            "Languages whose translation no native speaker and no lawyer has reviewed, "
            "and that you publish all the same."
        ),
    )
    cookie_domain = models.CharField(
        _("cookie domain"),
        max_length=255,
        blank=True,
        help_text=_("For example example.org. Empty: each host has its own cookie."),
        validators=[
            RegexValidator(
                COOKIE_DOMAIN,
                _("A cookie domain is like example.org, in small letters."),
            )
        ],
    )
    controller_name = models.CharField(_("controller"), max_length=200, blank=True)
    controller_address = models.TextField(_("controller's address"), blank=True)
    controller_contact = models.CharField(
        _("controller's contact"), max_length=200, blank=True
    )
    privacy_policy_url = models.URLField(_("privacy policy"), blank=True)
    audience = models.CharField(
        _("audience"),
        max_length=10,
        choices=[(a.value, a.value) for a in Audience],
        default=Audience.GENERAL.value,
        help_text=_("Counts from the next publication of the site’s policy."),
    )
    sensitive = models.BooleanField(_("sensitive subjects"), default=False)
    rule_overrides = models.JSONField(_("rule overrides"), default=list, blank=True)
    erasure = models.CharField(
        _("erasure"),
        max_length=10,
        choices=Erasure,
        default=Erasure.RESTRICT,
        help_text=_(
            "What becomes of the link between a record and a person who asks to be "
            "erased: kept away from everybody until retention ends, or gone at once."
        ),
    )

    class Meta:
        verbose_name = _("site")
        verbose_name_plural = _("sites")

    def __str__(self) -> str:
        return self.name


class PolicyVersion(models.Model):
    """What a site asks its visitors; immutable once published.

    `document` holds plain JSON: texts per language, purposes, services, controller.
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="policies")
    version = models.PositiveIntegerField(_("version"))
    document = models.JSONField(_("document"))
    hash = models.CharField(_("hash"), max_length=71)
    published_at = models.DateTimeField(_("published at"))
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,  # a published version is never changed, not even to forget
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("published by"),
    )
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("policy version")
        verbose_name_plural = _("policy versions")
        ordering = ("site", "-version")
        constraints = [
            models.UniqueConstraint(
                fields=["site", "version"], name="policy_version_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.site} {self.version}"


class Notice(models.Model):
    """The words exactly as shown, kept once per hash; records point at it."""

    hash = models.CharField(_("hash"), max_length=71, primary_key=True)
    document = models.JSONField(_("document"))

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")

    def __str__(self) -> str:
        return self.hash


class RuleBookVersion(models.Model):
    """A rule table that records point at, overrides included, kept once per hash."""

    hash = models.CharField(_("hash"), max_length=71, primary_key=True)
    document = models.JSONField(_("document"))

    class Meta:
        verbose_name = _("rule book")
        verbose_name_plural = _("rule books")

    def __str__(self) -> str:
        return self.hash


class Asset(models.Model):
    """A style sheet, script or picture of a notice, kept once per hash."""

    hash = models.CharField(_("hash"), max_length=71, primary_key=True)
    media_type = models.CharField(_("media type"), max_length=100)
    body = models.BinaryField(_("body"))

    class Meta:
        verbose_name = _("asset of a notice")
        verbose_name_plural = _("assets of notices")

    def __str__(self) -> str:
        return self.hash
