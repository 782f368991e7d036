"""Webhooks of the consent backend: who sent it, when, and what it says.

Signed as Standard Webhooks 1.0 has it (https://www.standardwebhooks.com).
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Protocol

from consent_client.answers import member, moment, optional, whole
from consent_client.errors import AnswerError, UnknownWebhookError, WebhookError

CHANGED: Final = "choice.changed"
ERASED: Final = "choice.erased"


class Headers(Protocol):
    """Whatever a framework calls headers: `request.headers` of most."""

    def items(self) -> Iterable[tuple[str, str]]: ...


@dataclass(frozen=True, order=True, slots=True)
class Position:
    """Orders the changes of a site: of two, the greater one came later."""

    log: int
    index: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """Somebody answered. They are named as far as the backend knows them."""

    id: str
    site: str
    time: datetime
    event: str
    purposes: Mapping[str, bool]
    services: Mapping[str, bool]
    policy_version: int
    identity: str | None
    account: str | None
    browser: str | None
    leaf_hash: str
    position: Position


@dataclass(frozen=True, kw_only=True, slots=True)
class Erased:
    """Records were erased, whose leaf hashes were told before: they are withdrawn."""

    id: str
    site: str
    leaf_hashes: tuple[str, ...]
    position: Position


def verify_webhook(
    headers: Headers,
    body: bytes,
    secrets: str | Sequence[str],
    *,
    tolerance: float = 300,
) -> Change | Erased:
    """What a webhook says; WebhookError unless it was signed with a secret, lately.

    `body` is what came, byte for byte. Give both secrets while the old one retires.
    """
    given = {name.lower(): text for name, text in headers.items()}
    id_, sent = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not id_ or not re.fullmatch("[0-9]{1,15}", sent):
        raise WebhookError("A webhook has a number and a time.")
    keys = [_key(text) for text in _several(secrets)]
    signed = b".".join((id_.encode(errors="replace"), sent.encode(), body))
    if not _signed(signed, given.get("webhook-signature", ""), keys):
        raise WebhookError("No signature of it is by a secret of ours.")
    if abs(time.time() - int(sent)) > tolerance:
        raise WebhookError("It was not sent lately.")
    return _read(body, id_)


def _several(secrets: str | Sequence[str]) -> Sequence[str]:
    several = [secrets] if isinstance(secrets, str) else secrets
    if not several:
        raise ValueError("A webhook is verified by a secret.")
    return several


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError("A secret is whsec_ and base64.")
    return key


def _signed(signed: bytes, signatures: str, keys: Sequence[bytes]) -> bool:
    made = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in keys]
    given = [
        text[3:].encode(errors="replace")
        for text in signatures.split()
        if text[:3] == "v1,"
    ]
    return any(hmac.compare_digest(ours, text) for ours in made for text in given)


def _read(body: bytes, id_: str) -> Change | Erased:
    try:
        document = whole(json.loads(body))
        kind = member(document, "type", str)
        if kind == CHANGED:
            return _changed(document, id_)
        if kind == ERASED:
            return _erased(document, id_)
    except (AnswerError, ValueError, RecursionError) as error:
        raise WebhookError(f"It is signed, but is no webhook: {error}") from error
    raise UnknownWebhookError("It tells of something that this version does not know.")


def _changed(document: dict[str, Any], id_: str) -> Change:
    return Change(
        id=id_,
        site=member(document, "site", str),
        time=moment(member(document, "time", str)),
        event=member(document, "event", str),
        purposes=_answers(document, "purposes"),
        services=_answers(document, "services"),
        policy_version=member(document, "policy_version", int),
        identity=optional(document, "identity"),
        account=optional(document, "account"),
        browser=optional(document, "browser"),
        leaf_hash=member(document, "leaf_hash", str),
        position=_position(document),
    )


def _erased(document: dict[str, Any], id_: str) -> Erased:
    hashes = member(document, "leaf_hashes", list)
    if not all(isinstance(text, str) for text in hashes):
        raise AnswerError("leaf_hashes are not what they should be.")
    return Erased(
        id=id_,
        site=member(document, "site", str),
        leaf_hashes=tuple(hashes),
        position=_position(document),
    )


def _answers(document: dict[str, Any], name: str) -> Mapping[str, bool]:
    answers = member(document, name, dict)
    return MappingProxyType({key: member(answers, key, bool) for key in answers})


def _position(document: dict[str, Any]) -> Position:
    found = member(document, "position", dict)
    return Position(member(found, "log", int), member(found, "index", int))
