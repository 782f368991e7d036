"""What the settings alone can get wrong."""

import os
import re
import stat
from collections.abc import Iterator, Sequence
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register

from consent import anchors, keys, rulebook
from consent.audit import retention
from consent.models.site import COOKIE_DOMAIN
from consent.visitor.address import networks

type Messages = Iterator[CheckMessage]

SHORTEST_SECRET: Final = 32
# RFC 9110 section 5.6.2, which RFC 6265 uses for the names of cookies too.
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# What Django holds against the host of a request: `*`, or a name or address without
# scheme and port; a dot in front stands for all subdomains.
_HOST: Final = re.compile(r"\*|\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]")


@register("consent")
def check_settings(app_configs: object, **_: object) -> Sequence[CheckMessage]:
    """Everything that the settings alone can get wrong."""
    found: list[CheckMessage] = []
    for check in _OF_SETTINGS:
        found.extend(check())
    return found


def _understood() -> Messages:
    for name, sentence in settings.CONSENT_SETTING_PROBLEMS:
        yield Error(sentence, hint=f"Correct {name} or remove it.", id="consent.E001")


def _proxies() -> Messages:
    try:
        networks(tuple(settings.TRUSTED_PROXIES))
    except ValueError as error:
        yield Error(
            f"TRUSTED_PROXIES: {error}.",
            hint="Give addresses and CIDR blocks: 10.0.0.0/8,192.0.2.7",
            id="consent.E002",
        )


def _headers() -> Messages:
    for name in ("GEO_COUNTRY_HEADER", "GEO_SUBDIVISION_HEADER"):
        header = getattr(settings, name)
        if "_" in header or " " in header:
            # Another header folds into a name with an underscore, and stands for it.
            yield Error(
                f"{name} is {header!r}; a header name has dashes, never underscores.",
                hint="For example CF-IPCountry.",
                id="consent.E003",
            )
        elif header and not _TOKEN.fullmatch(header):
            yield Error(
                f"{name} is {header!r}, which is no name of a header.",
                hint="Give the name alone, without a colon: CF-IPCountry.",
                id="consent.E011",
            )
    named = settings.GEO_COUNTRY_HEADER or settings.GEO_SUBDIVISION_HEADER
    if named and not settings.TRUSTED_PROXIES:
        yield checks.Warning(
            "A geo header is set but never believed: TRUSTED_PROXIES is empty.",
            hint="Name the addresses that your proxies connect from.",
            id="consent.W001",
        )


def _demo() -> Messages:
    if settings.DEMO and not settings.DEBUG:
        yield Error(
            "DEMO lets anybody play anybody, and runs only with DEBUG.",
            hint="Remove DEMO from the environment.",
            id="consent.E004",
        )


def _key() -> Messages:
    try:
        signing, retiring = keys.signing_key(), keys.retiring_key()
    except keys.KeyProblemError as error:
        yield Error(str(error), id="consent.E005")
        return
    if retiring is not None and retiring.id == signing.id:
        yield Error(
            "CONSENT_RETIRING_KEY is the key in force, which cannot retire.",
            hint="Give the key before it, or remove the setting.",
            id="consent.E005",
        )


def _key_file() -> Messages:
    """Who can read the key can sign what never happened."""
    files = [] if settings.DEBUG else settings.CONSENT_KEY_FILES
    for path in filter(None, files):
        try:
            mode = path.stat().st_mode
        except OSError:
            continue  # that it cannot be read was noted when it was read
        if mode & (stat.S_IROTH | stat.S_IWOTH):
            yield Error(
                f"Everybody on this machine can read or write the key {path.name}.",
                hint=f"chmod 600 {path.name}; in a container mount it with mode 0400.",
                id="consent.E014",
            )


def _checkpoints() -> Messages:
    """Where checkpoints are kept must be there to be written, and be elsewhere."""
    kept: Path = settings.CONSENT_CHECKPOINT_DIR
    there = next(path for path in (kept, *kept.parents) if path.exists())
    if not os.access(there, os.R_OK | os.W_OK | os.X_OK):
        yield checks.Warning(
            f"CONSENT_CHECKPOINT_DIR, {kept}, cannot be read and written, so that a "
            "backup that is put back would go unnoticed.",
            hint="Let the product's user read and write it.",
            id="consent.W032",
        )
    if not settings.DEBUG and kept.is_relative_to(settings.CONSENT_DATA_DIR):
        yield checks.Warning(
            "Checkpoints are kept beside the data: one snapshot takes both along, and "
            "nobody notices that it was put back.",
            hint="Set CONSENT_CHECKPOINT_DIR to a folder elsewhere, and share it "
            "between machines.",
            id="consent.W033",
        )


def _overrides() -> Messages:
    try:
        book = rulebook.apply(rulebook.load(), list(settings.CONSENT_RULE_OVERRIDES))
    except rulebook.OverrideError as error:
        yield Error(f"CONSENT_RULE_OVERRIDES: {error}", id="consent.E006")
        return
    if book.lowered_unknown:
        yield checks.Warning(
            "CONSENT_RULE_OVERRIDES gives unknown places less than the strictest rule.",
            hint="Every site's next choice or publication records it in the ledger. "
            "Remove the override to be strict.",
            id="consent.W002",
        )


def _retention() -> Messages:
    days = settings.CONSENT_RETENTION_DAYS
    if 0 < days < retention.SHORTEST:
        yield Error(
            f"CONSENT_RETENTION_DAYS is {days}; records are kept for "
            f"{retention.SHORTEST} days at least after they ended, or for ever (0).",
            hint="Who complains today must find what was recorded (GDPR art. 12(3)).",
            id="consent.E016",
        )


def _anchors() -> Messages:
    for sentence in anchors.setting_problems():
        yield Error(
            sentence,
            hint="docs/ledger.md says under Anchors what to set.",
            id="consent.E015",
        )
    if not settings.DEBUG and not anchors.anybody_asked():
        yield checks.Warning(
            "Nobody outside vouches for the log: whoever has the database and the "
            "signing key can rewrite it, unnoticed but by those who kept a receipt or "
            "a checkpoint.",
            hint="Set CONSENT_TIMESTAMP_URL and CONSENT_TIMESTAMP_CA, or "
            "CONSENT_WITNESSES, as docs/ledger.md says under Anchors.",
            id="consent.W031",
        )


def _segment() -> Messages:
    if settings.TRACKING_STRATEGY == "segment" and not settings.SEGMENT_WRITE_KEY:
        yield Error(
            "TRACKING_STRATEGY is segment, but SEGMENT_WRITE_KEY is not set.",
            hint="Set the key, or TRACKING_STRATEGY=logging.",
            id="consent.E007",
        )


def _cookie() -> Messages:
    name, domain = settings.CONSENT_COOKIE_NAME, settings.CONSENT_COOKIE_DOMAIN
    if not _can_name_a_cookie(name):
        yield Error(
            f"CONSENT_COOKIE_NAME is {name!r}, which cannot name a cookie.",
            hint="Use letters, digits, dashes and underscores, as in consent.",
            id="consent.E008",
        )
    taken = {
        settings.SESSION_COOKIE_NAME,
        settings.CSRF_COOKIE_NAME,
        settings.LANGUAGE_COOKIE_NAME,
        "messages",
    }
    for own in taken & {name, f"{name}_id"}:
        yield Error(
            f"CONSENT_COOKIE_NAME is {name!r}, but the cookie {own} is another's.",
            hint="Choose a name that is not taken, as in consent.",
            id="consent.E009",
        )
    if domain and not COOKIE_DOMAIN.fullmatch(domain.lower()):
        yield Error(
            f"CONSENT_COOKIE_DOMAIN is {domain!r}, which is no domain of a cookie.",
            hint="Give the domain alone, as in example.org, or leave it empty.",
            id="consent.E010",
        )


def _can_name_a_cookie(name: str) -> bool:
    try:
        SimpleCookie()[name] = ""  # words such as path are reserved
    except CookieError:
        return False
    return bool(_TOKEN.fullmatch(name))


def _hosts() -> Messages:
    for host in settings.ALLOWED_HOSTS:
        if not _HOST.fullmatch(host):
            yield Error(
                f"ALLOWED_HOSTS has {host!r}, which no request can match.",
                hint="Give names without scheme, port and path: example.org, or "
                ".example.org with all its subdomains.",
                id="consent.E012",
            )


def _secret() -> Messages:
    if settings.DEBUG:
        return
    secrets = {"SECRET_KEY": [settings.SECRET_KEY]}
    secrets["SECRET_KEY_FALLBACKS"] = settings.SECRET_KEY_FALLBACKS
    for name, values in secrets.items():
        if any(len(value) < SHORTEST_SECRET for value in values):
            yield Error(
                f"{name} is shorter than {SHORTEST_SECRET} characters, so that "
                "somebody could guess it and sign choices.",
                hint="Remove it, and one is made and kept; or give a long random one.",
                id="consent.E013",
            )


_OF_SETTINGS: Final = (
    *(_understood, _proxies, _headers, _cookie, _hosts, _secret),
    *(_demo, _key, _key_file, _checkpoints, _overrides, _retention, _anchors, _segment),
)
