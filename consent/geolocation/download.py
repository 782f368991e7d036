"""Fetch a database from a MaxMind account, prove it, and put it in place.

MaxMind documents `GET /geoip/databases/EDITION/download?suffix=tar.gz` with the account
and its licence key as HTTP basic credentials; the answer is a redirect to a storage
host, which must not see the credentials. `suffix=tar.gz.sha256` gives the checksum.
Until everything has been proved, the file in place is not touched.
"""

import base64
import hashlib
import re
import shutil
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO, Final
from urllib.parse import quote, urlsplit

from consent.geolocation.database import (
    Database,
    Kind,
    UnusableDatabaseError,
    open_database,
)
from consent.geolocation.proof import prove_readable
from consent.geolocation.replace import move_into_place

DEFAULT_URL: Final = "https://download.maxmind.com"
TIMEOUT_SECONDS: Final = 600.0

_IDLE_SECONDS: Final = 30.0
_CHUNK_BYTES: Final = 256 * 1024
_LARGEST_ARCHIVE_BYTES: Final = 1024**3
_LARGEST_CHECKSUM_BYTES: Final = 4096
_LARGEST_DATABASE_BYTES: Final = 2 * 1024**3
_EDITION: Final = re.compile(r"[A-Za-z0-9-]{1,60}", re.ASCII)
_SHA256: Final = re.compile(r"([0-9a-f]{64})\b", re.ASCII)


class DownloadError(Exception):
    """Nothing was replaced; the text is a sentence for operators."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where to ask, for what, and with which credentials."""

    number: str
    licence_key: str = field(repr=False)
    edition: str
    url: str = DEFAULT_URL

    def address(self, suffix: str) -> str:
        path = f"/geoip/databases/{quote(self.edition)}/download?suffix={suffix}"
        return self.url.rstrip("/") + path

    def credentials(self) -> str:
        pair = f"{self.number}:{self.licence_key}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


def update(
    account: Account, target: Path, *, timeout: float = TIMEOUT_SECONDS
) -> Database:
    """Fetch the account's edition into `target` and return what is in place then.

    Raises `DownloadError`; then the file in place is as it was. `timeout` is in seconds
    for everything together.
    """
    if not _EDITION.fullmatch(account.edition):
        raise DownloadError(f"{account.edition!r} is no name of a MaxMind edition.")
    deadline = time.monotonic() + timeout
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".geoip-") as folder:
            archive = Path(folder) / "archive"
            _fetch_proved(account, archive, deadline)
            fetched = _extracted(archive, Path(folder))
            return _replaced(fetched, target)
    except OSError as error:
        raise DownloadError(
            f"{target.parent} cannot be written: {error.strerror}."
        ) from error


def _fetch_proved(account: Account, archive: Path, deadline: float) -> None:
    """Fetch the archive and hold it against the published checksum."""
    with _opened(account, "tar.gz.sha256", deadline) as response:
        answer = b"".join(_chunks(response, deadline, limit=_LARGEST_CHECKSUM_BYTES))
    published = _SHA256.match(answer.decode("ascii", "replace"))
    if published is None:
        raise DownloadError("The server gave no SHA-256 checksum for the database.")
    digest = hashlib.sha256()
    with _opened(account, "tar.gz", deadline) as response, archive.open("wb") as file:
        for chunk in _chunks(response, deadline, limit=_LARGEST_ARCHIVE_BYTES):
            digest.update(chunk)
            file.write(chunk)
    if digest.hexdigest() != published[1]:
        raise DownloadError(
            "The download is incomplete or altered: its checksum is not the published "
            "one. Try again later."
        )


def _chunks(response: HTTPResponse, deadline: float, *, limit: int) -> Iterator[bytes]:
    size = 0
    while chunk := response.read1(_CHUNK_BYTES):
        size += len(chunk)
        if size > limit:
            raise DownloadError("The server's answer is far too long.")
        if time.monotonic() > deadline:
            raise TimeoutError
        yield chunk


@contextmanager
def _opened(account: Account, suffix: str, deadline: float) -> Iterator[HTTPResponse]:
    """Ask the server; every way in which a network fails is a `DownloadError`."""
    host = urlsplit(account.url).hostname
    try:
        with _answer(account.address(suffix), account.credentials(), deadline) as found:
            yield found
    except urllib.error.HTTPError as error:
        with error:
            raise DownloadError(_refusal(error.code, account)) from error
    except TimeoutError as error:
        raise DownloadError(
            f"{host} did not answer in time. Try again later."
        ) from error
    except urllib.error.URLError as error:
        late = isinstance(error.reason, TimeoutError)
        why = (
            "did not answer in time" if late else f"cannot be reached ({error.reason})"
        )
        raise DownloadError(f"{host} {why}. Try again later.") from error
    except (HTTPException, ConnectionError, ValueError) as error:
        raise DownloadError(f"{host} broke off its answer. Try again later.") from error


def _answer(address: str, credentials: str, deadline: float) -> HTTPResponse:
    if urlsplit(address).scheme not in {"http", "https"}:
        raise DownloadError("GEOIP_DOWNLOAD_URL must begin with https://.")
    request = urllib.request.Request(address)  # noqa: S310 - the scheme is checked
    request.add_header("Authorization", credentials)
    left = max(deadline - time.monotonic(), 0.001)
    opener = urllib.request.build_opener(_CautiousRedirects)
    response: HTTPResponse = opener.open(request, timeout=min(left, _IDLE_SECONDS))
    return response


class _CautiousRedirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects, but show credentials to nobody else and never go to HTTP."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if new.scheme not in {old.scheme, "https"}:
            fp.close()
            raise DownloadError("The server wants to go on without encryption.")
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request is not None and (new.scheme, new.netloc) != (old.scheme, old.netloc):
            request.remove_header("Authorization")
        return request


def _refusal(code: int, account: Account) -> str:
    if code in {401, 403}:
        return (
            f"The server refused the account ({code}): check GEOIP_ACCOUNT_ID, "
            f"GEOIP_LICENSE_KEY and whether they may download {account.edition}."
        )
    if code == 404:  # noqa: PLR2004
        return f"The server does not know the edition {account.edition} (404)."
    if code == 429:  # noqa: PLR2004
        return "The account has used up its downloads for today (429)."
    return f"The server answered {code}. Try again later."


def _extracted(archive: Path, folder: Path) -> Path:
    """Write the archive's one database to a name of our own; unpack nothing else."""
    target = folder / "database"
    try:
        with tarfile.open(archive, "r:gz") as members:
            for member in members:
                content = members.extractfile(member) if member.isreg() else None
                if content is None or not member.name.endswith(".mmdb"):
                    continue
                if member.size > _LARGEST_DATABASE_BYTES:
                    raise DownloadError("The archive's database is far too large.")
                with content, target.open("wb") as file:
                    shutil.copyfileobj(content, file, _CHUNK_BYTES)
                return target
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise DownloadError("The archive is damaged.") from error
    raise DownloadError("The archive holds no database.")


def _replaced(fetched: Path, target: Path) -> Database:
    """Swap the database in, unless it is unusable or older than the one in place."""
    try:
        new = open_database(fetched, kind=Kind.PLACE)
        prove_readable(fetched)
    except UnusableDatabaseError as error:
        raise DownloadError(f"What was fetched {error}.") from error
    old = _in_place(target)
    if old is not None and new.built_at < old.built_at:
        raise DownloadError(
            f"What was fetched is of {new.built}, older than the database in place "
            f"({old.built})."
        )
    move_into_place(fetched, target)
    return new


def _in_place(target: Path) -> Database | None:
    try:
        return open_database(target, kind=Kind.PLACE)
    except (UnusableDatabaseError, OSError):
        return None
