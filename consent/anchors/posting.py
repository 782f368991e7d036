"""Asking over HTTP: a short question, and an answer that is bounded in every way."""

import time
import urllib.error
import urllib.request
from concurrent.futures import Future
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from threading import Thread
from typing import Final

from consent.anchors.outcome import AnchorError

TIMEOUT_SECONDS: Final = 10.0
MOST_BYTES: Final = 64 * 1024
_CHUNK_BYTES: Final = 8 * 1024
_LATE: Final = "It did not answer in time."


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever the status is."""

    status: int
    body: bytes

    @property
    def words(self) -> str:
        """The first line of a refusal, made fit for a log."""
        line = self.body[:400].decode("utf-8", "replace").strip().partition("\n")[0]
        return "".join(c if c.isprintable() else "�" for c in line[:200])


class _AsAnswered(urllib.request.HTTPErrorProcessor):
    """Hand every answer over as it is: a redirect is not followed but told of."""

    def http_response(
        self, request: urllib.request.Request, response: HTTPResponse
    ) -> HTTPResponse:
        del request
        return response

    https_response = http_response


def post(url: str, body: bytes, *, content_type: str) -> Answer:
    """Post to an address of the settings; AnchorError where no whole answer comes.

    Whatever happens, it is over after `TIMEOUT_SECONDS`. A thread waits for the answer,
    because names can take as long to look up as they like, and a server can trickle.
    """
    headers = {"Content-Type": content_type, "User-Agent": "consent-ledger"}
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - http or https
    answer: Future[Answer] = Future()
    Thread(target=_answer, args=(request, answer), daemon=True).start()
    try:
        return answer.result(TIMEOUT_SECONDS)
    except TimeoutError:
        raise AnchorError(_LATE) from None


def _answer(request: urllib.request.Request, answer: Future[Answer]) -> None:
    try:
        answer.set_result(_asked(request))
    except AnchorError as error:
        answer.set_exception(error)


def _asked(request: urllib.request.Request) -> Answer:
    opener = urllib.request.build_opener(_AsAnswered)
    deadline = time.monotonic() + TIMEOUT_SECONDS
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            return Answer(response.status, _read(response, deadline))
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise AnchorError(_LATE) from error
        raise AnchorError(f"It cannot be reached ({error.reason}).") from error
    except TimeoutError as error:
        raise AnchorError(_LATE) from error
    except (HTTPException, OSError, ValueError) as error:
        raise AnchorError("It broke off its answer.") from error


def _read(response: HTTPResponse, deadline: float) -> bytes:
    body = b""
    while chunk := response.read1(_CHUNK_BYTES):
        body += chunk
        if len(body) > MOST_BYTES:
            raise AnchorError("Its answer is far too long.")
        if time.monotonic() > deadline:
            raise TimeoutError
    return body
