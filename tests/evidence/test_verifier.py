"""The stand-alone verifier's own arithmetic: Ed25519 and Merkle proofs, from nothing.

It is held against the vectors of RFC 8032 and against libraries that others wrote.
"""

import ast
import os
import sys
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from consent.audit.claims import CLAIMS
from consent.audit.pack import verify_evidence as verifier
from consent.core.merkle import root
from consent.core.signed_note import verifier_key
from tests.core.trees import HASHES, proved_growths, proved_leaves

SOURCE = Path(verifier.__file__)

# RFC 8032 section 7.1: public key, message, signature.
TEST_1 = (
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
        "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    ),
)
TEST_2 = (
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e"
        "458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    ),
)
TEST_3 = (
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    (
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290"
        "ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
    ),
)
TEST_SHA_ABC = (
    "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
    (
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a8"
        "36ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
    ),
    (
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ec"
        "fdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"
    ),
)
# Points of small order in canonical encodings: a signature under one says nothing.
SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
]


def library_says(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@pytest.mark.parametrize("vector", [TEST_1, TEST_2, TEST_3, TEST_SHA_ABC])
def test_the_vectors_of_the_standard_verify(vector: tuple[str, str, str]) -> None:
    public, message, signature = (bytes.fromhex(part) for part in vector)
    assert verifier.ed25519_is_good(public, message, signature)
    assert not verifier.ed25519_is_good(public, message + b"\0", signature)


@pytest.mark.parametrize("length", range(0, 200, 11))
def test_it_agrees_with_a_library_on_good_and_on_spoilt_signatures(length: int) -> None:
    private = Ed25519PrivateKey.generate()
    public, message = private.public_key().public_bytes_raw(), os.urandom(length)
    signature = private.sign(message)
    point, s = signature[:32], int.from_bytes(signature[32:], "little")
    flipped = bytearray(signature)
    flipped[length % 64] ^= 1 << length % 8
    cases = [
        (public, message, signature),
        (public, message, bytes(flipped)),
        (public, message, os.urandom(32) + signature[32:]),
        (public, message, point + ((s + 1) % verifier.ORDER).to_bytes(32, "little")),
        (public, message, bytes(64)),
        (os.urandom(32), message, signature),
        (public, message + b"!", signature),
        (public, message, signature[:63]),
        (public, message, signature + b"\0"),
        (public, message, b""),
    ]
    found = [verifier.ed25519_is_good(*case) for case in cases]
    assert found == [library_says(*case) for case in cases]
    assert found[0]
    assert not any(found[1:])


def test_a_signature_made_malleable_is_refused() -> None:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    signature = private.sign(b"a record")
    s = int.from_bytes(signature[32:], "little") + verifier.ORDER
    twin = signature[:32] + s.to_bytes(32, "little")
    assert not verifier.ed25519_is_good(public, b"a record", twin)
    assert not library_says(public, b"a record", twin)


@pytest.mark.parametrize("public", SMALL_ORDER)
def test_a_key_of_small_order_signs_nothing(public: str) -> None:
    key = bytes.fromhex(public)
    neutral = bytes([1]) + bytes(31)
    assert not verifier.ed25519_is_good(key, b"anything", neutral + bytes(32))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(31),
        (2**255 - 19).to_bytes(32, "little"),  # y is not below the prime
        (2).to_bytes(32, "little"),  # no such x
        (1 | 1 << 255).to_bytes(32, "little"),  # x is 0 and said to be odd
    ],
)
def test_what_is_no_point_is_no_key(data: bytes) -> None:
    assert verifier.decode(data) is None
    assert not verifier.ed25519_is_good(data, b"", bytes(64))


@given(proved_leaves())
def test_a_leaf_is_proved_as_the_core_proves_it(
    proved: tuple[int, int, list[bytes]],
) -> None:
    index, size, proof = proved
    found = verifier.root_of_inclusion(index, size, HASHES[index], proof)
    assert found == root(HASHES[:size])
    for spoilt in (proof[:-1], [*proof, proof[-1]]):
        with pytest.raises(verifier.EvidenceError, match=r"too (short|long)"):
            verifier.root_of_inclusion(index, size, HASHES[index], spoilt)


@given(proved_growths())
def test_growth_is_proved_as_the_core_proves_it(
    proved: tuple[int, int, list[bytes]],
) -> None:
    old_size, size, proof = proved
    old_root, new_root = root(HASHES[:old_size]), root(HASHES[:size])
    found = verifier.roots_of_growth(old_size, size, old_root, proof)
    assert found == (old_root, new_root)
    with pytest.raises(verifier.EvidenceError, match="too long"):
        verifier.roots_of_growth(old_size, size, old_root, [*proof, *proof[-1:] * 2])


@given(proved_growths(), st.data())
def test_a_spoilt_proof_of_growth_leads_elsewhere(
    proved: tuple[int, int, list[bytes]], draw: st.DataObject
) -> None:
    old_size, size, proof = proved
    at = draw.draw(st.integers(0, len(proof) - 1))
    spoilt = [*proof[:at], HASHES[-1], *proof[at + 1 :]]
    old_root = root(HASHES[:old_size])
    found = verifier.roots_of_growth(old_size, size, old_root, spoilt)
    assert found != (old_root, root(HASHES[:size]))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a+00000000+" + "AQ" * 22, "hash"),
        (verifier_key(name="a", public=bytes(32))[:-4], "cannot|none|padding|hash"),
        ("no key at all", "unpack|values"),
    ],
)
def test_a_line_that_is_no_key_is_refused(line: str, reason: str) -> None:
    with pytest.raises(verifier.BROKEN, match=reason):
        verifier.Key(line)


def test_it_imports_nothing_but_the_standard_library() -> None:
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    named = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
        )
    }
    assert named <= set(sys.stdlib_module_names)
    assert "socket" not in named
    assert "urllib" not in named


def test_it_can_be_read_by_python_3_9() -> None:
    ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 9))


def test_it_says_what_is_proved_as_everything_else_says_it() -> None:
    with translation.override("en"):
        claims = " ".join(str(claim) for claim in CLAIMS).replace("’", "'")
    assert " ".join(verifier.CLAIMS.split()) == claims


def test_what_a_file_says_does_not_steer_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    verifier.say("a\x1b[2Jb\nc\u202ed")
    assert capsys.readouterr().out == "a?[2Jb?c?d\n"
