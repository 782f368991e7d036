"""The public keys of all that ever signed here, kept so that it stays verifiable."""

from django.db import transaction
from django.utils import timezone

from consent.keys import SigningKey, retiring_key, signing_key
from consent.ledger.known import Known
from consent.models import PublicKey

_kept: Known[str, bool] = Known()


def remember(key: SigningKey) -> None:
    """Keep a key's public half in the transaction of the first thing that it signs."""
    if _kept.get(key.id):
        return
    first = {"public": key.public_bytes, "first_used": timezone.now()}
    PublicKey.objects.get_or_create(id=key.id, defaults=first)
    transaction.on_commit(lambda: _kept.learn(key.id, True))


def remember_signers() -> None:
    """Keep the keys that sign checkpoints, the retiring one included."""
    for key in (signing_key(), retiring_key()):
        if key is not None:
            remember(key)


def forget() -> None:
    """Forget which keys are known to be kept."""
    _kept.forget()
