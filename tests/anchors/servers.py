"""Servers on this machine that answer as a test wants, or not at all."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseRequestHandler, ThreadingTCPServer

type Answer = Callable[[bytes], tuple[int, dict[str, str], bytes]]


class _Server(ThreadingHTTPServer):
    """With room for many who connect at once: five are taken by default."""

    request_queue_size = 128


@contextmanager
def served(answer: Answer) -> Iterator[str]:
    """The address of a server on this machine that answers every POST so."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, headers, content = answer(body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            raise AssertionError("nobody follows a redirect")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def silent(
    said: bytes = b"", *, trickling: bytes = b""
) -> Iterator[tuple[str, threading.Event]]:
    """A server that takes every question, says this much, and then nothing more.

    Or it trickles for ever. With its address comes an event: somebody has connected.
    """
    asked, over = threading.Event(), threading.Event()

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            asked.set()
            with suppress(OSError):
                self.request.sendall(said)
                while not over.wait(0.02 if trickling else 60):
                    self.request.sendall(trickling)

    server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", asked
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()
