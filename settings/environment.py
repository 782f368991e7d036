"""Reading the environment: every value that cannot be understood is kept as a problem.

A setting that is wrong must be refused with a sentence, not with a traceback at import.
So the readers here never raise: they note what is wrong, go on with the strict default,
and `consent.checks` reports the notes as numbered errors before anything is served.
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import environ  # type: ignore[import-untyped]

from consent import kept_secrets

# (name of the setting, a sentence that says what is wrong and what to do)
PROBLEMS: list[tuple[str, str]] = []

_ENGINES = {"django.db.backends.postgresql", "django.db.backends.sqlite3"}

# Characters that stand for themselves in a regular expression too.
_PATH = re.compile(r"(/[A-Za-z0-9_-]+)+")

# Every secret may also stand in a file named by NAME_FILE (container secrets).
_reader = environ.FileAwareEnv()


def note(name: str, sentence: str) -> None:
    PROBLEMS.append((name, sentence))


def text(name: str, default: str = "") -> str:
    """The value of NAME, or the content of the file that NAME_FILE names.

    `$OTHER` stands for the value of OTHER, as django-environ has it; where OTHER is not
    set, a secret that begins with a dollar sign would silently be another one.
    """
    try:
        value = str(_reader.str(name, default=default)).strip()
    except OSError as error:
        note(name, f"{name}_FILE cannot be read ({error.strerror}).")
        return default
    except (UnicodeError, RecursionError):
        note(name, f"{name} or {name}_FILE holds no text.")
        return default
    given = os.environ.get(name, "").strip()
    if given.startswith("$") and given.lstrip("$") not in os.environ:
        note(name, f"{name} begins with $ and so names a variable, which is not set.")
    return value


def _parsed[T](name: str, default: T, parse: Callable[[str], T], wanted: str) -> T:
    raw = text(name)
    if not raw:
        return default
    try:
        return parse(raw)
    except ValueError:
        note(name, f"{name} is {raw!r}; it must be {wanted}.")
        return default


def number(name: str, default: int) -> int:
    return _parsed(name, default, _natural, "a whole number, 0 or more")


def _natural(raw: str) -> int:
    value = int(raw)
    if value < 0:
        raise ValueError(raw)
    return value


def flag(name: str, *, default: bool) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True}
    words |= {"0": False, "false": False, "no": False, "off": False}

    def parse(raw: str) -> bool:
        if raw.lower() not in words:
            raise ValueError(raw)
        return words[raw.lower()]

    return _parsed(name, default, parse, "one of 1, true, yes, on, 0, false, no, off")


def words(name: str) -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in text(name).split(",") if word.strip()]


def one_of(name: str, allowed: tuple[str, ...]) -> str:
    """One of the allowed words, in any case; the first is the default."""

    def parse(raw: str) -> str:
        found = [word for word in allowed if word.lower() == raw.lower()]
        if not found:
            raise ValueError(raw)
        return found[0]

    return _parsed(name, allowed[0], parse, "one of " + ", ".join(allowed))


def path(name: str) -> str:
    """A path of a host, as in `/consent`: from the root, without a slash at its end."""

    def parse(raw: str) -> str:
        if not _PATH.fullmatch(raw):
            raise ValueError(raw)
        return raw

    return _parsed(name, "", parse, "a path without a slash at its end, as in /consent")


def json_list(name: str) -> list[dict[str, Any]]:
    """A JSON list of objects."""

    def parse(raw: str) -> list[dict[str, Any]]:
        value = json.loads(raw)
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            raise ValueError(raw)
        return value

    return _parsed(name, [], parse, "a JSON list of objects")


def database(name: str, default: str) -> dict[str, Any]:
    """A database from its URL; the default where the URL cannot be understood."""
    url = text(name) or default
    try:
        found: dict[str, Any] = environ.Env.db_url_config(url)
        if found.get("ENGINE") in _ENGINES:
            return found
    except (ValueError, KeyError, environ.ImproperlyConfigured):
        pass
    note(
        name, f"{name} is not a database URL such as postgres://user:secret@host/name."
    )
    return dict(environ.Env.db_url_config(default))


def cache(name: str) -> dict[str, Any]:
    """A cache from its URL, else the cache of the process."""
    url = text(name) or "locmemcache://"
    try:
        return dict(environ.Env.cache_url_config(url))
    except (ValueError, KeyError, environ.ImproperlyConfigured):
        note(name, f"{name} is not a cache URL such as redis://host:6379/0.")
        return dict(environ.Env.cache_url_config("locmemcache://"))


def kept_secret(
    name: str, folder: Path, make: Callable[[], str], *, unless: str = ""
) -> str:
    """A secret from the environment, else one made once and kept in a private file.

    On a disk that cannot be written the secret lives as long as the process, which is
    noted: cookies signed with it are not believed after a restart. `unless` says why
    none may be made, and what to do.
    """
    given = text(name)
    if given:
        return given
    path = kept_secrets.path_of(name, folder)
    if unless and not path.exists():
        note(name, f"{name} is not set. {unless}")
        return make()
    try:
        return kept_secrets.read_or_make(path, make)
    except OSError as error:
        reason = error.strerror or str(error)
        note(name, f"{name} is not set and {path.name} cannot be kept: {reason}.")
        return make()


def secret_file(name: str, folder: Path) -> Path | None:
    """The file that a secret is read from; None where it stands in the environment."""
    named = os.environ.get(f"{name}_FILE")  # which comes before the other
    if named:
        return Path(named)
    return None if os.environ.get(name) else kept_secrets.path_of(name, folder)
