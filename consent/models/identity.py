"""Persons whom a site's own backend vouches for, and the browsers they are linked to.

A person's name at that backend (`sub`) is never kept: `identity` is its keyed hash. A
link carries preferences from browser to browser, and never opens a history.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.models.site import Site


class IdentityKey(models.Model):
    """A key by which a site's backend signs who somebody is (RFC 7519).

    The algorithm is the row's, whatever a token says. `material` is a public key (PEM),
    or for HS256 the shared secret, sealed (`secret_boxes`).
    """

    class Algorithm(models.TextChoices):
        """The three that are taken (RFC 7518, RFC 8037)."""

        EDDSA = "EdDSA", "EdDSA (Ed25519)"
        ES256 = "ES256", "ES256 (P-256)"
        HS256 = "HS256", "HS256"

    site = models.ForeignKey(Site, models.PROTECT, related_name="+", db_index=False)
    kid = models.CharField(_("key id"), max_length=64)
    algorithm = models.CharField(_("algorithm"), max_length=5, choices=Algorithm)
    material = models.TextField(_("key"))
    issuer = models.CharField(_("issuer"), max_length=255)
    audience = models.CharField(_("audience"), max_length=255)
    made_at = models.DateTimeField(_("made at"))
    retired_at = models.DateTimeField(_("retired at"), null=True, blank=True)

    class Meta:
        verbose_name = _("identity key")
        verbose_name_plural = _("identity keys")
        constraints = [
            models.UniqueConstraint(fields=["site", "kid"], name="identity_key_once")
        ]

    def __str__(self) -> str:
        return self.kid


class Linked(models.Model):
    """A browser that a vouched person uses, by its visitor id."""

    site = models.ForeignKey(Site, models.CASCADE, related_name="+", db_index=False)
    visitor = models.CharField(_("visitor"), max_length=32)
    identity = models.CharField(_("identity"), max_length=64)
    since = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("linked browser")
        verbose_name_plural = _("linked browsers")
        constraints = [
            models.UniqueConstraint(fields=["site", "visitor"], name="linked_once")
        ]
        indexes = [models.Index(fields=["site", "identity"], name="linked_identity")]

    def __str__(self) -> str:
        return self.visitor


class UsedToken(models.Model):
    """A token that was used, by the hash of its number, until it would be over."""

    site = models.ForeignKey(Site, models.CASCADE, related_name="+", db_index=False)
    digest = models.CharField(_("digest"), max_length=64)
    until = models.DateTimeField(_("until"))

    class Meta:
        verbose_name = _("used token")
        verbose_name_plural = _("used tokens")
        constraints = [
            models.UniqueConstraint(fields=["site", "digest"], name="used_token_once")
        ]
        indexes = [models.Index(fields=["site", "until"], name="used_token_until")]

    def __str__(self) -> str:
        return self.digest
