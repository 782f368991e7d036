"""The ledger's tables: append-only entries, their contents, and whose they are.

Entries are only ever inserted; triggers in the database forbid the rest. Contents and
links may be deleted once a removal names their entry. Nothing refers from an entry to
anything that can be deleted: contents and links name their entry, not the other way
round. Every table carries the site, and every index begins with it, so that a
distributed database can spread it by site.
"""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.models.site import Site


class Entry(models.Model):
    """One leaf of a site's log: hash, signature and time, and nothing personal."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    site = models.ForeignKey(Site, models.PROTECT, related_name="+", db_index=False)
    leaf_hash = models.BinaryField(_("leaf hash"), max_length=32)
    signature = models.BinaryField(_("signature"), max_length=64)
    key_id = models.CharField(_("key"), max_length=16)
    time = models.DateTimeField(_("time"))

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("entries")

    def __str__(self) -> str:
        return self.id.hex


class _OfEntry(models.Model):
    """A row that belongs to one entry; it may be forgotten, the entry never.

    The entry alone is held to its site by the database: each choice would wait for
    that to be looked up for all of its rows.
    """

    entry = models.OneToOneField(
        Entry,
        models.DO_NOTHING,
        primary_key=True,
        db_constraint=False,
        related_name="%(class)s",
    )
    site = models.ForeignKey(
        Site, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.pk}"


class Content(_OfEntry):
    """The canonical bytes of an entry, and a few of their values for searching."""

    canonical = models.TextField(_("canonical bytes"))
    time = models.DateTimeField(_("time"))
    kind = models.CharField(_("kind"), max_length=10)
    event = models.CharField(_("event"), max_length=40)
    country = models.CharField(_("country"), max_length=2, blank=True)
    rule = models.CharField(_("rule"), max_length=255, blank=True)
    model = models.CharField(_("model"), max_length=10, blank=True)
    surface = models.CharField(_("surface"), max_length=12, blank=True)
    policy_version = models.PositiveIntegerField(_("policy version"), null=True)
    gpc = models.BooleanField(_("signal"), default=False)

    class Meta:
        verbose_name = _("record")
        verbose_name_plural = _("records")
        indexes = [
            models.Index(fields=["site", "-time", "entry"], name="content_recent"),
            # The operator's acts are few among many choices, and looked for by choices.
            models.Index(
                fields=["site", "event", "-time"],
                name="content_acts",
                condition=models.Q(kind="act"),
            ),
        ]


class Link(_OfEntry):
    """What ties an entry to a visitor or a user, until it is forgotten.

    `salt` opens the pseudonym in the record. `sources` names the entries that a merge
    came from. There is no foreign key to a user: deleting an account must not touch
    the ledger.
    """

    salt = models.BinaryField(_("salt"), max_length=32)
    visitor = models.CharField(_("visitor"), max_length=32, blank=True)
    user = models.CharField(_("user"), max_length=64, blank=True)
    time = models.DateTimeField(_("time"))
    sources = models.JSONField(_("sources"), default=list)

    class Meta:
        verbose_name = _("link")
        verbose_name_plural = _("links")
        indexes = [
            models.Index(fields=["site", "visitor", "-time"], name="link_visitor"),
            models.Index(fields=["site", "user", "time"], name="link_user"),
        ]


class Waiting(_OfEntry):
    """An entry that is not yet in the tree; written with it, removed by sealing."""

    class Meta:
        verbose_name = _("waiting entry")
        verbose_name_plural = _("waiting entries")


class Removal(models.Model):
    """Names an entry whose link, or content, an erasure or a retention run removed.

    Without such a row the database lets neither be deleted. `act` is the entry that
    says so in the log: it commits to the leaf hashes of all that it removed.
    """

    class Reason(models.TextChoices):
        """Why: a person asked for it, or its time was over."""

        ERASURE = "erasure", _("erasure")
        RETENTION = "retention", _("retention")

    site = models.ForeignKey(Site, models.PROTECT, related_name="+", db_index=False)
    entry = models.ForeignKey(
        Entry, models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False
    )
    reason = models.CharField(_("reason"), max_length=10, choices=Reason)
    act = models.ForeignKey(
        Entry, models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False
    )
    time = models.DateTimeField(_("time"))

    class Meta:
        verbose_name = _("removal")
        verbose_name_plural = _("removals")
        constraints = [
            models.UniqueConstraint(
                fields=["site", "entry", "reason"], name="removal_once"
            )
        ]
        indexes = [models.Index(fields=["site", "act"], name="removal_act")]

    def __str__(self) -> str:
        return f"{self.entry_id}"


class Restricted(_OfEntry):
    """A link that an erasure moved out of every list and view (GDPR art. 18).

    It is kept until retention ends, for a controller that has to defend a claim, and
    only `prune_ledger` deletes it.
    """

    salt = models.BinaryField(_("salt"), max_length=32)
    visitor = models.CharField(_("visitor"), max_length=32, blank=True)
    user = models.CharField(_("user"), max_length=64, blank=True)
    time = models.DateTimeField(_("time"))
    sources = models.JSONField(_("sources"), default=list)
    restricted_at = models.DateTimeField(_("restricted at"))

    class Meta:
        verbose_name = _("restricted link")
        verbose_name_plural = _("restricted links")
        indexes = [
            models.Index(fields=["site", "restricted_at"], name="restricted_since")
        ]
