"""A time-stamp authority (RFC 3161) of the tests: its certificates and its tokens.

Written after the standards and sharing nothing with the product, so that what is asked
and believed there is held against another reading. Every part of an answer can be
asked for wrong.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

INTEGER, OCTETS, NULL, OID, UTF8, TIME = 0x02, 0x04, 0x05, 0x06, 0x0C, 0x18
SEQUENCE, SET, FIRST = 0x30, 0x31, 0xA0  # the last: [0], constructed
SHA256 = "2.16.840.1.101.3.4.2.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
TST_INFO = "1.2.840.113549.1.9.16.1.4"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
ECDSA_SHA256 = "1.2.840.10045.4.3.2"


# --- DER (X.690) ---------------------------------------------------------------------


def der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def integer(value: int) -> bytes:
    return der(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(dotted: str) -> bytes:
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    body = bytearray([40 * first + second])
    for arc in rest:
        groups = [arc & 127]
        while arc := arc >> 7:
            groups.append(arc & 127 | 128)
        body += bytes(reversed(groups))
    return der(OID, bytes(body))


def elements(data: bytes) -> list[tuple[int, bytes]]:
    """The elements that stand one after the other: tag and content."""
    found, at = [], 0
    while at < len(data):
        tag, size, at = data[at], data[at + 1], at + 2
        if size >= 128:
            width = size & 127
            size, at = int.from_bytes(data[at : at + width], "big"), at + width
        found.append((tag, data[at : at + size]))
        at += size
    return found


# --- certificates --------------------------------------------------------------------


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    *,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey,
    stamps: bool,
) -> x509.Certificate:
    def named(common: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])

    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2060, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(not stamps, None), critical=True)
    )
    if stamps:
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(signer, hashes.SHA256())


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


# --- the authority -------------------------------------------------------------------


@dataclass
class Authority:
    """Stamps what it is asked to, at `clock()`; the other fields make it go wrong."""

    name: str = "Root of the tests"
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    status: int = 0
    nonce: int | None = None
    imprint: bytes | None = None
    content_type: str = TST_INFO
    may_stamp: bool = True
    asked: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        root_key, self._key = _new_key(), _new_key()
        signed = {"issuer": self.name, "signer": root_key}
        self.root = _certificate(self.name, root_key, stamps=False, **signed)
        self._certificate = _certificate(
            "Stamps", self._key, stamps=self.may_stamp, **signed
        )

    @property
    def pem(self) -> bytes:
        return self.root.public_bytes(Encoding.PEM)

    @property
    def certificate_pem(self) -> bytes:
        return self._certificate.public_bytes(Encoding.PEM)

    def over_http(self, query: bytes) -> tuple[int, dict[str, str], bytes]:
        return 200, {"Content-Type": "application/timestamp-reply"}, self.answer(query)

    def answer(self, query: bytes) -> bytes:
        """A TimeStampResp to a TimeStampReq (RFC 3161 sections 2.4.1 and 2.4.2)."""
        self.asked.append(query)
        ((_, members),) = elements(query)
        (_, version), (_, imprint), *others = elements(members)
        assert version == b"\x01"
        nonce = next(content for tag, content in others if tag == INTEGER)
        assert others[-1] == (0x01, b"\xff"), "the certificate is asked for"
        status = der(SEQUENCE, integer(self.status))
        if self.status:
            return der(SEQUENCE, status)
        return der(SEQUENCE, status, self._token(imprint, nonce))

    def _token(self, imprint: bytes, nonce: bytes) -> bytes:
        if self.imprint is not None:
            algorithm = der(SEQUENCE, oid(SHA256), der(NULL))
            imprint = algorithm + der(OCTETS, self.imprint)
        told = integer(self.nonce) if self.nonce else der(INTEGER, nonce)
        info = der(
            SEQUENCE,
            integer(1),
            oid("1.3.6.1.4.1.99999.1"),
            der(SEQUENCE, imprint),
            integer(len(self.asked)),
            der(TIME, f"{self.clock():%Y%m%d%H%M%SZ}".encode()),
            told,
        )
        return self._signed(info)

    def _signed(self, info: bytes) -> bytes:
        """The token: SignedData over TSTInfo (RFC 5652 section 5, RFC 5816)."""
        certificate = self._certificate.public_bytes(Encoding.DER)
        digest = der(SEQUENCE, oid(SHA256))
        essential = der(SEQUENCE, der(OCTETS, hashlib.sha256(certificate).digest()))
        signing = der(SEQUENCE, der(SEQUENCE, essential))
        attributes = b"".join(
            sorted(
                der(SEQUENCE, oid(kind), der(SET, value))
                for kind, value in {
                    CONTENT_TYPE: oid(self.content_type),
                    MESSAGE_DIGEST: der(OCTETS, hashlib.sha256(info).digest()),
                    SIGNING_CERTIFICATE_V2: signing,
                }.items()
            )
        )
        signature = self._key.sign(der(SET, attributes), ec.ECDSA(hashes.SHA256()))
        signer = der(
            SEQUENCE,
            integer(1),
            der(
                SEQUENCE,
                self._certificate.issuer.public_bytes(),
                integer(self._certificate.serial_number),
            ),
            digest,
            der(FIRST, attributes),
            der(SEQUENCE, oid(ECDSA_SHA256)),
            der(OCTETS, signature),
        )
        content = der(FIRST, der(OCTETS, info))
        data = der(
            SEQUENCE,
            integer(3),
            der(SET, digest),
            der(SEQUENCE, oid(self.content_type), content),
            der(FIRST, certificate),
            der(SET, signer),
        )
        return der(SEQUENCE, oid(SIGNED_DATA), der(FIRST, data))


def ahead(hours: int) -> Callable[[], datetime]:
    """A clock that is so far ahead."""
    return lambda: datetime.now(UTC) + timedelta(hours=hours)
