"""Keys by which a site's other programs ask: made, shown once, and known by a hash."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from consent.models import ApiKey, Site

# The words before the secret let a scanner of leaked secrets know what it found.
_KEY: Final = re.compile(r"consent_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
# How exactly it is kept when a key was last used: a write for each is too dear.
USED_SECONDS: Final = 60


def make(
    *,
    site: Site,
    name: str,
    scopes: Collection[ApiKey.Scope],
    at: datetime,
    ends_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """A new key of a site, and its text, which is kept nowhere."""
    number, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    row = ApiKey.objects.create(
        site=site,
        number=number,
        digest=_digest(secret),
        name=name,
        scopes=sorted(scopes),
        made_at=at,
        ends_at=ends_at,
    )
    return row, f"consent_{number}_{secret}"


def known(text: str, *, at: datetime) -> ApiKey | None:
    """The key of that text, if there is one that counts; notes that it was used."""
    parts = _KEY.fullmatch(text)
    row = ApiKey.objects.filter(number=parts[1]).first() if parts else None
    if parts is None or row is None:
        return None
    if not hmac.compare_digest(row.digest, _digest(parts[2])):
        return None
    if row.ends_at is not None and row.ends_at <= at:
        return None
    _note_use(row, at)
    return row


def replace(row: ApiKey, *, at: datetime, overlap: timedelta) -> tuple[ApiKey, str]:
    """A key like another one, which goes on counting for a while."""
    made = make(
        site=row.site,
        name=row.name,
        scopes=[ApiKey.Scope(word) for word in row.scopes],
        at=at,
    )
    end(row, at=at + overlap)
    return made


def end(row: ApiKey, *, at: datetime) -> None:
    """Let a key count no longer than until a time."""
    row.ends_at = at if row.ends_at is None else min(row.ends_at, at)
    row.save(update_fields=["ends_at"])


def _note_use(row: ApiKey, at: datetime) -> None:
    known = row.last_used_at
    if known is None or at - known > timedelta(seconds=USED_SECONDS):
        ApiKey.objects.filter(pk=row.pk).update(last_used_at=at)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
