"""What somebody can do who has the database and the signing key."""

from datetime import UTC, datetime

from django.db import connection

from consent import ledger
from consent.core.signed_note import checkpoint_text
from consent.keys import sign_note
from consent.ledger import tree
from consent.models import Checkpoint, Site
from tests.conftest import _no_triggers


def tamper(*statements: str) -> None:
    """Change the database without its triggers, and without what is remembered."""
    with _no_triggers(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    ledger.forget()


def forged(site: Site, *, size: int) -> Checkpoint:
    """A checkpoint over what the tables hold now, signed with the real key."""
    root = tree.edge(site=site, log=1, size=size).root()
    origin = ledger.latest_log(site).origin
    text = checkpoint_text(origin=origin, size=size, root=root)
    return Checkpoint.objects.create(
        site=site,
        log=1,
        tree_size=size,
        root=root,
        note=sign_note(text, name=origin),
        key_id="",
        time=datetime.now(UTC),
    )


def zeroed(index: int) -> str:
    """The SQL that rewrites an entry's hash."""
    postgresql = connection.vendor == "postgresql"
    zeros = "decode(repeat('00', 32), 'hex')" if postgresql else "zeroblob(32)"
    return (
        f"UPDATE consent_entry SET leaf_hash = {zeros} WHERE id IN "
        f'(SELECT entry_id FROM consent_leaf WHERE "index" = {index})'
    )
