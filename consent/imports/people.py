"""Whose an imported answer is: an account here, or somebody the earlier tool named.

Whom the earlier tool named by an identifier that no cookie of ours holds can never come
back under it. Where something was granted, the record is linked to a visitor id made of
the identifier, so that who shows it can be shown what they granted; a plain refusal is
linked to nobody, like any other.
"""

from collections.abc import Collection
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.utils.crypto import salted_hmac

from consent.core.imports import Row, Source

KEY: Final = "key"
_SALT: Final = "consent.imports.visitor"


class People:
    """The accounts that identifiers name, by their key or another field of users.

    LookupError for a field that users do not have.
    """

    def __init__(self, field: str) -> None:
        users = get_user_model()._meta  # noqa: SLF001 - Django's public way to fields
        try:
            self._field: Any = users.pk if field == KEY else users.get_field(field)
        except FieldDoesNotExist:
            raise LookupError(f"Users have no field {field}.") from None
        self.field = field

    def named(self, words: Collection[str]) -> dict[str, list[int]]:
        """The keys of the accounts that each word names; none or more than one may."""
        values = {word: value for word in words if (value := self._value(word))}
        name = self._field.attname
        users = get_user_model().objects.filter(**{f"{name}__in": set(values.values())})
        keys: dict[Any, list[int]] = {}
        for value, key in users.values_list(name, "pk"):
            keys.setdefault(value, []).append(key)
        return {word: keys.get(value, []) for word, value in values.items()}

    def _value(self, word: str) -> object:
        """A word as the field has it; None for what no account can have."""
        try:
            return self._field.to_python(word)
        except ValidationError:
            return None


def account_word(row: Row) -> str | None:
    """What of a row may name an account: its own column, else its identifier."""
    return row.account or row.who


def visitor_of(
    *, site: str, source: Source, who: str, secret: str | None = None
) -> str:
    """The visitor id that stands for an identifier of the earlier tool."""
    value = f"{site}\n{source}\n{who}"
    return salted_hmac(_SALT, value, secret, algorithm="sha256").hexdigest()[:32]


def visitors_of(*, site: str, source: Source, who: str) -> list[str]:
    """The same under every secret that may have been in force, the newest first."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [visitor_of(site=site, source=source, who=who, secret=s) for s in secrets]
