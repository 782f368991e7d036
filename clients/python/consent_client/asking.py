"""What a service asks: may I track this person? Whatever goes wrong is a no."""

import json
import logging
import os
import re
import ssl
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from urllib3 import BaseHTTPResponse, Retry
from urllib3.exceptions import HTTPError
from urllib3.util import Url, parse_url

from consent_client.answers import Permission, Question, read_answers
from consent_client.errors import ConsentError, KeyRefusedError, RefusedError
from consent_client.exchange import Exchange
from consent_client.remembered import Remembered

# What the backend takes at once is 100 questions, and 16 KiB.
MOST_QUESTIONS: Final = 100
MOST_BYTES: Final = 15 * 1024
PATH: Final = "/api/v1/permissions"
_HERE: Final = {"localhost", "127.0.0.1", "[::1]"}
_log = logging.getLogger("consent_client")


@dataclass(frozen=True, slots=True)
class _Own:
    """What belongs to one process."""

    process: int
    exchange: Exchange
    remembered: Remembered
    inherited: "_Own | None" = None


class Consent:
    """A consent backend, as this service asks it.

    `timeout` is for a whole question, with every retry. One instance serves all threads
    of a process, and of its children.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = 2.0,
        retries: int = 2,
        cache_seconds: float = 10.0,
        cache_size: int = 10_000,
        ssl_context: ssl.SSLContext | None = None,
        plain_http: bool = False,
    ) -> None:
        self._url = _address(url, plain_http=plain_http)
        self._headers = _headers(key)
        if timeout <= 0 or min(retries, cache_seconds, cache_size) < 0:
            raise ValueError("Times and numbers are positive.")
        self._timeout = timeout
        self._retries = retries
        self._cache = (cache_seconds, cache_size)
        self._ssl_context = ssl_context
        self._own = self._made(None)

    def __repr__(self) -> str:
        return f"Consent({self._url.url!r})"

    def allows(
        self,
        *,
        purpose: str,
        user: str | None = None,
        account: str | int | None = None,
        service: str | None = None,
        place: str | None = None,
    ) -> bool:
        """Whether it is certain that this person may be tracked for this purpose.

        Never raises: an error, a late or a strange answer is a no, and a warning in the
        log that does not say who it was about.
        """
        try:
            return self.permission(
                purpose=purpose,
                user=user,
                account=account,
                service=service,
                place=place,
            ).holds()
        except ConsentError as error:
            _log.warning("Taken for a no: %s", error)
        except Exception as error:  # noqa: BLE001 - our own mistakes are a no as well
            _log.warning("Taken for a no: %s", type(error).__name__)
        return False

    def permission(
        self,
        *,
        purpose: str,
        user: str | None = None,
        account: str | int | None = None,
        service: str | None = None,
        place: str | None = None,
    ) -> Permission:
        """The whole answer; ConsentError where there is none."""
        question = Question(
            purpose=purpose,
            user=user,
            account=_text(account),
            service=service,
            place=place,
        )
        return self.permissions([question])[0]

    def permissions(self, questions: Iterable[Question]) -> list[Permission]:
        """The answers to many questions, in their order; ConsentError where one lacks.

        `timeout` is for all of them together.
        """
        until = time.monotonic() + self._timeout
        own, asked = self._mine(), list(questions)
        found = {question: own.remembered.get(question) for question in asked}
        missing = [question for question, answer in found.items() if answer is None]
        for part in _parts(missing):
            found.update(zip(part, self._ask(own, part, until), strict=True))
        return [answer for q in asked if (answer := found[q]) is not None]

    def forget(
        self,
        *,
        user: str | None = None,
        account: str | int | None = None,
        identity: str | None = None,
    ) -> None:
        """Ask anew about a person, by whichever of these names they are known."""
        self._mine().remembered.forget(
            user=user, account=_text(account), identity=identity
        )

    def close(self) -> None:
        """Close what is open and forget every answer; the next question begins anew."""
        self._mine().exchange.close()
        self._own = self._made(None)

    def _mine(self) -> _Own:
        """A child of a fork begins anew: the sockets and locks are its parent's.

        What it inherited is left as it is, because to close it would be to use it.
        """
        if self._own.process != os.getpid():
            self._own = self._made(self._own)
        return self._own

    def _made(self, inherited: _Own | None) -> _Own:
        exchange = Exchange(
            self._url, retries=self._retries, ssl_context=self._ssl_context
        )
        seconds, most = self._cache
        remembered = Remembered(seconds=seconds, most=most)
        return _Own(os.getpid(), exchange, remembered, inherited)

    def _ask(
        self, own: _Own, questions: list[Question], until: float
    ) -> list[Permission]:
        asked, forgettings = time.monotonic(), own.remembered.forgettings
        content = {"questions": [question.document for question in questions]}
        response = own.exchange.post(
            (self._url.path or "").rstrip("/") + PATH,
            json.dumps(content).encode(),
            self._headers,
            until=until,
        )
        if response.status != HTTPStatus.OK:
            raise _refusal(response)
        answers = read_answers(response.data, questions)
        for question, answer in zip(questions, answers, strict=True):
            own.remembered.put(question, answer, asked=asked, forgettings=forgettings)
        return answers


def _parts(questions: list[Question]) -> Iterator[list[Question]]:
    """The questions, as many at a time as the backend takes."""
    part: list[Question] = []
    size = 0
    for question in questions:
        more = len(json.dumps(question.document)) + len(", ")
        if part and (len(part) == MOST_QUESTIONS or size + more > MOST_BYTES):
            yield part
            part, size = [], 0
        part.append(question)
        size += more
    if part:
        yield part


def _address(text: str, *, plain_http: bool) -> Url:
    """Where the backend is; ValueError for what is no place for a key."""
    url = parse_url(text)
    plain = plain_http or url.host in _HERE
    if url.scheme != "https" and not (url.scheme == "http" and plain):
        raise ValueError("The address begins with https:// (or see plain_http).")
    if not url.host or url.auth or url.query or url.fragment:
        raise ValueError("The address is a host, and a path where there is one.")
    return url


def _text(number: str | int | None) -> str | None:
    return None if number is None else str(number)


def _headers(key: str) -> dict[str, str]:
    if not re.fullmatch(r"[!-~]+", key):
        raise ValueError("The key is empty, or has a character that no key has.")
    return {
        "Authorization": f"Bearer {key}",
        "Accept": "application/json",
        "Content-Type": "application/json",
        "User-Agent": "consent-client",
    }


def _refusal(response: BaseHTTPResponse) -> RefusedError:
    try:
        title = json.loads(response.data)["title"]
    except (ValueError, RecursionError, LookupError, TypeError):
        title = ""
    # Only words: what else the answer says may name somebody.
    named = isinstance(title, str) and re.fullmatch("[a-z_]{1,40}", title)
    kind = KeyRefusedError if response.status in {401, 403} else RefusedError
    return kind(
        response.status, title if named else "", retry_after=_retry_after(response)
    )


def _retry_after(response: BaseHTTPResponse) -> float | None:
    try:
        return Retry().get_retry_after(response)
    except HTTPError:
        return None
