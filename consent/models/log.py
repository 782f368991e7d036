"""The transparency log's tables: each site's tree, its signed heads, and the keys.

All of it is only ever inserted. A site has one log; a second begins where the first had
to be closed, because a backup was restored under it.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.models.ledger import Entry
from consent.models.site import Site


class Log(models.Model):
    """One log of a site; the newest is the one that is sealed into.

    `origin` names it for ever (C2SP tlog-checkpoint): it is fixed when the log begins.
    Sealing holds a lock on the row and never changes it.
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="+", db_index=False)
    number = models.PositiveSmallIntegerField(_("number"), default=1)
    origin = models.CharField(_("origin"), max_length=320)
    opened_at = models.DateTimeField(_("opened at"))

    class Meta:
        verbose_name = _("log")
        verbose_name_plural = _("logs")
        constraints = [
            models.UniqueConstraint(fields=["site", "number"], name="log_once")
        ]

    def __str__(self) -> str:
        return self.origin


class _OfLog(models.Model):
    """A row of one of a site's logs, which `log` numbers."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="+", db_index=False)
    log = models.PositiveSmallIntegerField(_("log"), default=1)

    class Meta:
        abstract = True


class Leaf(_OfLog):
    """The place of an entry in its site's tree."""

    index = models.BigIntegerField(_("index"))
    entry = models.ForeignKey(
        Entry, models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False
    )

    class Meta:
        verbose_name = _("leaf")
        verbose_name_plural = _("leaves")
        constraints = [
            models.UniqueConstraint(
                fields=["site", "log", "index"], name="leaf_index_once"
            ),
            models.UniqueConstraint(fields=["site", "entry"], name="leaf_entry_once"),
        ]

    def __str__(self) -> str:
        return f"{self.site_id}/{self.log}/{self.index}"


class Tile(_OfLog):
    """256 hashes of one level of the tree (C2SP tlog-tiles), kept when complete.

    `root` is the hash over all of them, which stands in the level above: so that the
    tiles still growing there are read without computing anything.
    """

    level = models.PositiveSmallIntegerField(_("level"))
    index = models.BigIntegerField(_("index"))
    root = models.BinaryField(_("root"), max_length=32)
    hashes = models.BinaryField(_("hashes"), max_length=8192)

    class Meta:
        verbose_name = _("tile")
        verbose_name_plural = _("tiles")
        constraints = [
            models.UniqueConstraint(
                fields=["site", "log", "level", "index"], name="tile_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.site_id}/{self.log}/{self.level}/{self.index}"


class Checkpoint(_OfLog):
    """A signed tree head (C2SP tlog-checkpoint), as our own keys signed it."""

    tree_size = models.BigIntegerField(_("tree size"))
    root = models.BinaryField(_("root"), max_length=32)
    note = models.TextField(_("signed note"))
    key_id = models.CharField(_("key"), max_length=16)
    time = models.DateTimeField(_("time"))

    class Meta:
        verbose_name = _("checkpoint")
        verbose_name_plural = _("checkpoints")
        constraints = [
            models.UniqueConstraint(
                fields=["site", "log", "tree_size"], name="checkpoint_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.site_id}/{self.log}/{self.tree_size}"


class Anchor(_OfLog):
    """What somebody outside said about a checkpoint: a time-stamp or a co-signature.

    `token` is an RFC 3161 response (DER), or the signature line of a witness (UTF-8)
    that is handed out with the checkpoint's note.
    """

    class Kind(models.TextChoices):
        """Who vouches, and for what."""

        TIMESTAMP = "timestamp", _("time-stamp")
        COSIGNATURE = "cosignature", _("co-signature")

    tree_size = models.BigIntegerField(_("tree size"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    name = models.CharField(_("name"), max_length=255)
    token = models.BinaryField(_("token"))
    time = models.DateTimeField(_("time"))

    class Meta:
        verbose_name = _("anchor")
        verbose_name_plural = _("anchors")
        constraints = [
            models.UniqueConstraint(
                fields=["site", "log", "tree_size", "kind", "name"], name="anchor_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name} {self.tree_size}"


class PublicKey(models.Model):
    """A key that ever signed here, so that what it signed stays verifiable.

    `id` is what receipts call it: the first 16 hexadecimal digits of its SHA-256.
    """

    id = models.CharField(_("key"), max_length=16, primary_key=True)
    public = models.BinaryField(_("public key"), max_length=32)
    first_used = models.DateTimeField(_("first used"))

    class Meta:
        verbose_name = _("public key")
        verbose_name_plural = _("public keys")

    def __str__(self) -> str:
        return self.id
