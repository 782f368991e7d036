"""The key and the question go to nobody whose certificate does not count."""

import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from consent_client import UnavailableError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.client.peers import answers, asking

HERE = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
ELSEWHERE = x509.DNSName("elsewhere.example")


def certificate(folder: Path, name: x509.GeneralName, days: int = 1) -> Path:
    """A certificate that vouches for itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "consent")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(called, called, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=10))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = folder / "server.pem"
    file.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return file


@contextmanager
def secure(file: Path) -> Iterator[tuple[str, list[bytes]]]:
    """A backend with this certificate, and what it got to hear."""
    heard: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answers(heard[-1]))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that hangs up is what is wanted here."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}", heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def trusting(file: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(file))


def test_a_certificate_that_counts_is_asked(tmp_path: Path) -> None:
    file = certificate(tmp_path, HERE)
    with secure(file) as (address, heard):
        consent = asking(address, ssl_context=trusting(file))
        assert consent.allows(user="ada", purpose="analytics")
        assert len(heard) == 1


@pytest.mark.parametrize(
    ("make", "trusted"),
    [
        (lambda folder: certificate(folder, HERE), False),
        (lambda folder: certificate(folder, ELSEWHERE), True),
        (lambda folder: certificate(folder, HERE, days=-1), True),
    ],
    ids=["nobody vouches for it", "another name", "it is over"],
)
def test_a_certificate_that_does_not_count_hears_nothing(
    tmp_path: Path, make: Callable[[Path], Path], trusted: bool
) -> None:
    file = make(tmp_path)
    with secure(file) as (address, heard):
        consent = asking(address, ssl_context=trusting(file) if trusted else None)
        assert consent.allows(user="ada", purpose="analytics") is False
        with pytest.raises(UnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
            consent.permission(user="ada", purpose="analytics")
    assert heard == []
