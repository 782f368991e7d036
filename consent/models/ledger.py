"""The ledger's tables: append-only entries, their contents, and the Merkle log.

Entries, leaves, tiles and checkpoints are only ever inserted; triggers in the database
forbid the rest. Nothing refers from an entry to anything that can be deleted: contents
and links name their entry, not the other way round. Every table carries the site, and
every index begins with it, so that a distributed database can spread it by site.
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
        indexes = [models.Index(fields=["site", "-time", "id"], name="entry_recent")]

    def __str__(self) -> str:
        return self.id.hex


class _OfEntry(models.Model):
    """A row that belongs to one entry; it may be forgotten, the entry never."""

    entry = models.OneToOneField(
        Entry,
        models.DO_NOTHING,
        primary_key=True,
        db_constraint=False,
        related_name="%(class)s",
    )
    site = models.ForeignKey(Site, models.PROTECT, related_name="+", db_index=False)

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
            models.Index(fields=["site", "user", "-time"], name="link_user"),
        ]


class Waiting(_OfEntry):
    """An entry that is not yet in the tree; written with it, removed by sealing."""

    class Meta:
        verbose_name = _("waiting entry")
        verbose_name_plural = _("waiting entries")


class Leaf(models.Model):
    """The place of an entry in its site's tree."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="+", db_index=False)
    index = models.BigIntegerField(_("index"))
    entry = models.ForeignKey(
        Entry, models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False
    )

    class Meta:
        verbose_name = _("leaf")
        verbose_name_plural = _("leaves")
        constraints = [
            models.UniqueConstraint(fields=["site", "index"], name="leaf_index_once"),
            models.UniqueConstraint(fields=["site", "entry"], name="leaf_entry_once"),
        ]

    def __str__(self) -> str:
        return f"{self.site_id}/{self.index}"


class Tile(models.Model):
    """256 hashes of one level of the tree (C2SP tlog-tiles), kept when complete."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="+", db_index=False)
    level = models.PositiveSmallIntegerField(_("level"))
    index = models.BigIntegerField(_("index"))
    hashes = models.BinaryField(_("hashes"), max_length=8192)

    class Meta:
        verbose_name = _("tile")
        verbose_name_plural = _("tiles")
        constraints = [
            models.UniqueConstraint(fields=["site", "level", "index"], name="tile_once")
        ]

    def __str__(self) -> str:
        return f"{self.site_id}/{self.level}/{self.index}"


class Checkpoint(models.Model):
    """A signed tree head (C2SP signed note)."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="+", db_index=False)
    tree_size = models.BigIntegerField(_("tree size"))
    root = models.BinaryField(_("root"), max_length=32)
    note = models.TextField(_("signed note"))
    time = models.DateTimeField(_("time"))

    class Meta:
        verbose_name = _("checkpoint")
        verbose_name_plural = _("checkpoints")
        constraints = [
            models.UniqueConstraint(
                fields=["site", "tree_size"], name="checkpoint_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.site_id}/{self.tree_size}"
