"""One question and its whole answer over HTTP, within a time that is kept.

urllib3 retries, waits and verifies certificates. Its timeouts are those of each single
step, though, and looking up a name has none at all; so here every step gets what is
left of the whole time, each piece of an answer too, and somebody else waits.
"""

import io
import math
import socket
import ssl
import time
from collections.abc import Callable
from concurrent import futures
from http.client import HTTPException, HTTPResponse
from threading import Semaphore, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Final, TypeVar

from urllib3 import (
    BaseHTTPResponse,
    HTTPConnectionPool,
    HTTPSConnectionPool,
    Retry,
    Timeout,
)
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import (
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    ResponseError,
)
from urllib3.exceptions import TimeoutError as StepTimeoutError
from urllib3.util import Url

from consent_client.errors import UnavailableError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

T = TypeVar("T")

AT_ONCE: Final = 32
MOST_BYTES: Final = 1024 * 1024
PASSING: Final = (429, 500, 502, 503, 504)
_LATE: Final = "The consent backend did not answer in time."
# What the other side's bytes can make of a client, beside what urllib3 says of them.
_BROKEN: Final = (
    *(HTTPError, HTTPException, OSError, ValueError),
    *(MemoryError, OverflowError),
)
_LEAST_SECONDS: Final = 0.001


class _Bounded(io.RawIOBase):
    """The bytes of one answer, not later and not more of them than is allowed."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._socket = sock
        self._seconds = sock.gettimeout() or _LEAST_SECONDS
        self._until = time.monotonic() + self._seconds
        self._bytes = MOST_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError(_LATE)
        if self._bytes <= 0:
            raise OSError("The answer is far too long.")
        self._socket.settimeout(left)
        try:
            read: int | None = self._raw.readinto(buffer)
        finally:
            self._socket.settimeout(self._seconds)
        self._bytes -= read or 0
        return read

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    """An answer for the whole of which the time counts that others give each piece."""

    def __init__(
        self,
        sock: socket.socket,
        debuglevel: int = 0,
        method: str | None = None,
        url: str | None = None,
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        raw = self.fp.detach()
        self.fp = io.BufferedReader(_Bounded(raw, sock))


class _PlainConnection(HTTPConnection):
    response_class = _Response


class _Connection(HTTPSConnection):
    response_class = _Response


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _Pool(HTTPSConnectionPool):
    ConnectionCls = _Connection


class _Left(Timeout):
    """What is left of the whole time, for each attempt anew."""

    def __init__(self, until: float) -> None:
        super().__init__(total=max(until - time.monotonic(), _LEAST_SECONDS))
        self._until = until

    def clone(self) -> "_Left":
        return _Left(self._until)


class _Patience(Retry):
    """urllib3's retries, given up as soon as the next would begin too late."""

    until = math.inf

    def new(self, **changes: object) -> "_Patience":
        following = super().new(**changes)
        following.until = self.until
        return following

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> "_Patience":
        told = (method, url, response, error, _pool, _stacktrace)
        following = super().increment(*told)
        wished = self.get_retry_after(response) if response else None
        pause = wished or following.get_backoff_time()
        if time.monotonic() + pause >= self.until and _pool is not None:
            raise MaxRetryError(_pool, url or "", error or ResponseError(_LATE))
        return following


class Exchange:
    """The one address that is asked, with its connections."""

    def __init__(
        self, url: Url, *, retries: int, ssl_context: ssl.SSLContext | None
    ) -> None:
        host, secure = url.host or "", url.scheme == "https"
        self._pool: HTTPConnectionPool = (
            _Pool(host, url.port, maxsize=AT_ONCE, ssl_context=ssl_context)
            if secure
            else _PlainPool(host, url.port, maxsize=AT_ONCE)
        )
        self._retries = retries
        self._room = Semaphore(AT_ONCE)

    def close(self) -> None:
        self._pool.close()

    def post(
        self, path: str, body: bytes, headers: dict[str, str], *, until: float
    ) -> BaseHTTPResponse:
        """The answer, whatever its status; UnavailableError where none comes in time.

        Nothing of the question stands in the address, for whoever keeps a log of these.
        A redirect is handed over like any other answer: the key goes nowhere else.
        """

        def posted() -> BaseHTTPResponse:
            return self._pool.urlopen(
                "POST",
                path,
                body,
                headers,
                retries=self._patience(until),
                redirect=False,
                timeout=_Left(until),
                decode_content=False,
            )

        try:
            return self._in_time(posted, until)
        except MaxRetryError as error:
            raise _unavailable(error.reason or error) from error
        except _BROKEN as error:
            raise _unavailable(error) from error

    def _patience(self, until: float) -> _Patience:
        patience = _Patience(
            self._retries,
            allowed_methods=None,  # a question may always be asked again
            status_forcelist=PASSING,
            backoff_factor=0.1,
            raise_on_status=False,
        )
        patience.until = until
        return patience

    def _in_time(self, work: Callable[[], T], until: float) -> T:
        """Let a thread of its own do it, and wait no longer than that."""
        if not self._room.acquire(timeout=max(until - time.monotonic(), 0)):
            raise UnavailableError("Too many questions are on their way.")
        result: futures.Future[T] = futures.Future()

        def run() -> None:
            try:
                result.set_result(work())
            except BaseException as error:  # noqa: BLE001 - who waits is told
                result.set_exception(error)
            finally:
                self._room.release()

        try:
            Thread(target=run, daemon=True).start()
        except RuntimeError as error:  # the process may have no more, or is ending
            self._room.release()
            raise UnavailableError("No thread can be started.") from error
        try:
            return result.result(max(until - time.monotonic(), 0))
        except futures.TimeoutError:
            raise UnavailableError(_LATE) from None


def _unavailable(error: Exception) -> UnavailableError:
    late = isinstance(error, (StepTimeoutError, TimeoutError))
    # urllib3 takes an address where nobody listens for a kind of lateness.
    if late and not isinstance(error, NewConnectionError):
        return UnavailableError(_LATE)
    return UnavailableError(f"The consent backend cannot be asked: {error}")
