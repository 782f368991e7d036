"""Check an evidence pack, or one receipt, without the software that made it.

    python3 verify_evidence.py                    the folder that this file lies in
    python3 verify_evidence.py evidence.zip       a pack
    python3 verify_evidence.py receipt.json       one receipt
    ... --key 'example.org/log/shop+0a1b2c3d+AZ…' trust this key, not the pack's
    ... --checkpoint FILE                         a checkpoint that you kept yourself
    ... --unsealed                                accept records that no log holds yet

Python 3.9 or newer and nothing else. It reads, and neither writes nor connects. The
exit code is 0 where everything is right, and 1 where anything is wrong or where a
record is not in a log's tree, so that only its signature speaks for it.

What is computed, so that it can be done again by other means:

- leaf hash = SHA-256(0x00 || the record's canonical bytes), node hash = SHA-256(0x01 ||
  left || right), inclusion and consistency proofs as in RFC 9162 section 2.1;
- a receipt's signature is Ed25519 (RFC 8032) over "consent-receipt/v1", a line feed and
  the canonical bytes; its key is named by 16 hexadecimal digits of the key's SHA-256;
- a checkpoint is a signed note of C2SP tlog-checkpoint: origin, size, root, signatures;
- `visitor` in a record = HMAC-SHA-256(salt, visitor id), in hexadecimal;
- a policy, a notice, a rule book is named by the SHA-256 of exactly its file.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, NoReturn

CLAIMS = """\
Always: this record is in this log, unchanged since any checkpoint or receipt that
        somebody outside holds.
With anchors: it existed before the anchor's time.
Never: that every click was recorded."""
ED25519, COSIGNATURE = 1, 4
# Of a SHA-256 hash, a public key, half of a signature.
BYTES = 32
KEY_HASH_BYTES = 4
# More than any pack holds: a small zip file may unfold into more than memory does.
LARGEST_FILE, LARGEST_PACK = 64 << 20, 1 << 30


class EvidenceError(Exception):
    """What is wrong, in a sentence."""


# Whatever our own reading stumbles over in a file that was tampered with.
BROKEN = (
    *(ArithmeticError, AttributeError, EOFError, EvidenceError, LookupError),
    *(MemoryError, NotImplementedError, OSError, RuntimeError, TypeError, ValueError),
    *(struct.error, zipfile.BadZipFile, zlib.error),
)


def wrong(sentence: str) -> NoReturn:
    raise EvidenceError(sentence)


# --- Ed25519 (RFC 8032 section 5.1) --------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)

# (X, Y, Z, T) with x = X/Z, y = Y/Z, x*y = T/Z
Point = tuple[int, int, int, int]
NEUTRAL: Point = (0, 1, 1, 0)


def add(p: Point, q: Point) -> Point:
    """Section 5.1.4; complete, so that it doubles a point too."""
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def two_products(m: int, p: Point, n: int, q: Point) -> Point:
    """m*p + n*q, bit by bit from the highest."""
    both = add(p, q)
    result = NEUTRAL
    for bit in reversed(range(max(m.bit_length(), n.bit_length()))):
        result = add(result, result)
        wanted = (m >> bit & 1, n >> bit & 1)
        if wanted != (0, 0):
            result = add(result, {(1, 0): p, (0, 1): q, (1, 1): both}[wanted])
    return result


def encode(p: Point) -> bytes:
    """Section 5.1.2: y, and the lowest bit of x on top."""
    inverse = pow(p[2], P - 2, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(BYTES, "little")


def decode(data: bytes) -> Point | None:
    """Section 5.1.3; None for what is no point."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if len(data) != BYTES or y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT_OF_MINUS_1 % P
    if x * x % P != square or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


BASE = decode((4 * pow(5, P - 2, P) % P).to_bytes(BYTES, "little")) or NEUTRAL


def ed25519_is_good(public: bytes, message: bytes, signature: bytes) -> bool:
    """Section 5.1.7, without the cofactor: the stricter reading, as OpenSSL has it.

    A key of small order is refused: its signatures fit messages that nobody signed.
    """
    key = decode(public)
    s = int.from_bytes(signature[BYTES:], "little")
    if key is None or len(signature) != 2 * BYTES or s >= ORDER:
        return False
    if encode(two_products(8, key, 0, NEUTRAL)) == encode(NEUTRAL):
        return False
    hashed = hashlib.sha512(signature[:BYTES] + public + message).digest()
    k = int.from_bytes(hashed, "little") % ORDER
    minus_key = (P - key[0], key[1], key[2], P - key[3])
    return encode(two_products(s, BASE, k, minus_key)) == signature[:BYTES]


# --- The tree (RFC 9162 section 2.1) -------------------------------------------------


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def past_left_edge(at: int, last: int) -> tuple[int, int]:
    """Up past the levels on which a node is the last and has no sibling."""
    while at and at % 2 == 0:
        at, last = at >> 1, last >> 1
    return at, last


def root_of_inclusion(index: int, size: int, leaf: bytes, proof: list[bytes]) -> bytes:
    """Section 2.1.3.2: the root that a proof leads to."""
    if not 0 <= index < size:
        wrong(f"a tree of {size} leaves has no leaf {index}")
    at, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            wrong("its inclusion proof is too long")
        if at % 2 or at == last:
            found = node_hash(sibling, found)
            at, last = past_left_edge(at, last)
        else:
            found = node_hash(found, sibling)
        at, last = at >> 1, last >> 1
    if last:
        wrong("its inclusion proof is too short")
    return found


def roots_of_growth(
    old_size: int, size: int, old_root: bytes, proof: list[bytes]
) -> tuple[bytes, bytes]:
    """Section 2.1.4.2: the roots of the smaller and the larger tree in a proof."""
    if not 0 < old_size < size:
        wrong(f"a tree of {size} leaves did not grow from {old_size}")
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else proof
    at, last = old_size - 1, size - 1
    while at % 2:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            wrong("the consistency proof is too long")
        if at % 2 or at == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            at, last = past_left_edge(at, last)
        else:
            new = node_hash(new, sibling)
        at, last = at >> 1, last >> 1
    if last:
        wrong("the consistency proof is too short")
    return old, new


def hashes(values: list[str]) -> list[bytes]:
    """The hashes of a proof."""
    found = [bytes.fromhex(value) for value in values]
    if any(len(value) != BYTES for value in found):
        wrong("a hash of its proof does not have 32 bytes")
    return found


# --- Keys and signed notes (C2SP signed-note, tlog-checkpoint, tlog-cosignature) ------


class Key:
    """A public key, as a line `name+hash+base64(algorithm key)` tells it."""

    def __init__(self, line: str) -> None:
        self.name, named, encoded = line.strip().split("+", 2)
        data = base64.b64decode(encoded, validate=True)
        self.algorithm, self.public = data[0], data[1:]
        if self.algorithm not in (ED25519, COSIGNATURE) or len(self.public) != BYTES:
            wrong(f"the key of {self.name} is none that can be checked here")
        if self.hash_for(self.name).hex() != named:
            wrong(f"the key of {self.name} does not have the hash that it names")
        self.id = hashlib.sha256(self.public).hexdigest()[:16]

    def hash_for(self, name: str) -> bytes:
        """What a note calls this key where it signs under a name."""
        data = name.encode() + b"\n" + bytes([self.algorithm]) + self.public
        return hashlib.sha256(data).digest()[:KEY_HASH_BYTES]


class Checkpoint:
    """A log's signed head. Reading it verifies nothing."""

    def __init__(self, note: str) -> None:
        text, blank, signatures = note.rpartition("\n\n")
        if not blank or not signatures.endswith("\n"):
            wrong("the checkpoint is no signed note")
        self.note, self.text = note, text + "\n"
        self.origin, size, root = self.text.split("\n")[:3]
        self.size, self.root = int(size), base64.b64decode(root, validate=True)
        if str(self.size) != size or len(self.root) != BYTES:
            wrong("the checkpoint does not tell a size and a root")
        self.signatures = []
        for line in signatures.splitlines():
            dash, name, encoded = line.split(" ")
            data = base64.b64decode(encoded, validate=True)
            if dash != "\u2014":
                wrong("the checkpoint has a line that is no signature")
            named, signature = data[:KEY_HASH_BYTES], data[KEY_HASH_BYTES:]
            self.signatures.append((name, named, signature))

    def __str__(self) -> str:
        return f"checkpoint of {self.origin} at {self.size} entries"


class Keys:
    """The keys that are trusted, and what they were found to have signed.

    Those that were named, or else those that the pack brings along; the key of a
    witness does not stand in for that of the log.
    """

    def __init__(self, named: list[str], brought: list[str]) -> None:
        self.all = [Key(line) for line in named]
        self.own_word = not any(key.algorithm == ED25519 for key in self.all)
        if self.own_word:
            self.all += [Key(line) for line in brought if line.strip()]
        self.checked: set[str] = set()

    def require_receipt(self, key_id: str, canonical: bytes, signature: bytes) -> None:
        """Refuse a record that no trusted key signed."""
        message = b"consent-receipt/v1\n" + canonical
        found = [k for k in self.all if k.id == key_id and k.algorithm == ED25519]
        if not found:
            wrong(f"it is signed with the key {key_id}, which is none of those trusted")
        if not ed25519_is_good(found[0].public, message, signature):
            wrong("its signature is not good")

    def require_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Refuse a checkpoint that its log did not sign with a trusted key."""
        if checkpoint.note in self.checked:
            return
        # Trust is in the key; a site's later logs use it under names of their own.
        message, name = checkpoint.text.encode(), checkpoint.origin
        own = {k.hash_for(name): k for k in self.all if k.algorithm == ED25519}
        for signer, named, signature in checkpoint.signatures:
            key = own.get(named) if signer == name else None
            if key is not None and ed25519_is_good(key.public, message, signature):
                self.checked.add(checkpoint.note)
                return
        wrong(f"no trusted key signed the {checkpoint}")

    def witnesses(self, checkpoint: Checkpoint) -> Iterator[str]:
        """What is to be said of each signature that is not the log's own."""
        for name, named, signature in checkpoint.signatures:
            if name == checkpoint.origin:
                continue
            # By the key's own name: who has a key may sign under any name with it.
            mine = [k for k in self.all if k.name == name]
            key = next((k for k in mine if k.hash_for(name) == named), None)
            if key is None or key.algorithm != COSIGNATURE:
                yield f"{name} signed it too: give that key by --key to check it"
                continue
            time = int.from_bytes(signature[:8], "big")
            message = f"cosignature/v1\ntime {time}\n{checkpoint.text}".encode()
            if not ed25519_is_good(key.public, message, signature[8:]):
                wrong(f"the signature of {name} under the {checkpoint} is not good")
            yield f"{name} saw it at {time} (seconds since 1970)"


# --- One record ----------------------------------------------------------------------


def no_member_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        wrong("an object in it has a member twice")
    return found


def read_json(data: bytes | str) -> Any:  # noqa: ANN401 - whatever the file holds
    return json.loads(data, object_pairs_hook=no_member_twice)


def are_same(one: object, other: object) -> bool:
    """Whether two JSON values are equal; to Python alone, true is 1 as well."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def check_receipt(receipt: dict[str, Any], keys: Keys) -> str:
    """Refuse a receipt of which anything is wrong; else say what it is."""
    said = check_content(receipt, keys)
    log = receipt["log"]
    if log is None:
        return f"{said}; not in the tree yet, so only its signature speaks for it"
    checkpoint = Checkpoint(log["checkpoint"])
    keys.require_checkpoint(checkpoint)
    parts = checkpoint.origin.split("/log/")[-1].split("/")
    if parts[0] != receipt["site"]:
        wrong(f"the log {checkpoint.origin} is not that of the site {receipt['site']}")
    if log["tree_size"] != checkpoint.size:
        wrong("its proof is for another size than its checkpoint's")
    leaf = hashes([receipt["leaf_hash"]])[0]
    proof = hashes(log["inclusion_proof"])
    if root_of_inclusion(log["index"], checkpoint.size, leaf, proof) != checkpoint.root:
        wrong("its proof does not lead to the root of its checkpoint")
    return f"{said}; entry {log['index']} of {checkpoint.size} in {checkpoint.origin}"


def check_content(receipt: dict[str, Any], keys: Keys) -> str:
    """Refuse a content that does not belong to the hash, the key and the person."""
    if receipt["canonical"] is None:
        return check_gone(receipt)
    canonical = receipt["canonical"].encode()
    if leaf_hash(canonical).hex() != receipt["leaf_hash"]:
        wrong("its content was edited: it does not have the leaf hash")
    record = read_json(canonical)
    if not are_same(record, receipt["record"]):
        wrong("its record is not what its canonical bytes say")
    if (record["id"], record["site"]) != (receipt["id"], receipt["site"]):
        wrong("its number or its site is not what its record says")
    signature = base64.b64decode(receipt["signature"], validate=True)
    keys.require_receipt(receipt["key_id"], canonical, signature)
    said = f"{record['time']} {record.get('event') or record.get('act')}"
    if "opening" not in receipt:
        return said
    salt = base64.b64decode(receipt["opening"]["salt"], validate=True)
    visitor = receipt["opening"]["visitor"]
    opened = hmac.new(salt, visitor.encode(), hashlib.sha256).hexdigest()
    if opened != record["visitor"]:
        wrong("its opening does not open the record's pseudonym")
    return f"{said}; of the visitor {visitor}"


def check_gone(receipt: dict[str, Any]) -> str:
    """Refuse a receipt without content that tells more than a place in a log."""
    if receipt["gone"] not in ("erased", "retention"):
        wrong("its content is missing, and nothing says why")
    if receipt["record"] is not None or "opening" in receipt:
        wrong("its content is gone, and it tells one that nothing proves")
    if receipt["log"] is None:
        wrong("its content is gone, and it has no place in a log: it proves nothing")
    return (
        f"content gone ({receipt['gone']}), so that its place alone is checked; its "
        "number and its site are not proved"
    )


# --- A pack --------------------------------------------------------------------------


class Report:
    """What was found, told as it is found."""

    def __init__(self) -> None:
        self.wrong = 0
        # Records of which nothing is wrong: in a log's tree, and not in one.
        self.sealed = self.unsealed = 0
        self.own_word = False

    def check(self, name: str, work: Callable[[], str]) -> None:
        """Do a check and tell its outcome; whatever it stumbles over is an outcome."""
        try:
            told, mark = work(), "ok   "
        except EvidenceError as error:
            told, mark = str(error), "WRONG"
        except BROKEN as error:
            told, mark = f"it cannot be read: {error!r}", "WRONG"
        self.wrong += mark == "WRONG"
        say(f"{mark} {name}: {told}")

    def count(self, receipt: dict[str, Any]) -> None:
        """Count a record that was checked to its end."""
        self.sealed += receipt["log"] is not None
        self.unsealed += receipt["log"] is None

    def conclude(self, unsealed: bool) -> bool:
        """Say what was proved, and whether that is everything, or all that was asked.

        `unsealed` accepts records that are in no log's tree.
        """
        for line in CLAIMS.splitlines() if self.sealed else []:
            say(line)
        if self.unsealed:
            say(f"Not proved: that {self.unsealed} of the records are in a log. Only a")
            say("signature speaks for them, and who has the key can make one anew.")
        elif not self.sealed:
            say("Not proved: anything at all. No record was found to be right.")
        if self.wrong:
            say(f"{self.wrong} wrong.")
        elif self.unsealed:
            say("Nothing is wrong, but not everything is proved.")
        elif self.sealed:
            say("Everything is right.")
        return not self.wrong and (unsealed if self.unsealed else self.sealed > 0)


def say(line: str) -> None:
    """Print plain characters only: what a file says must not steer a terminal."""
    print("".join(c if " " <= c <= "~" else "?" for c in line))  # noqa: T201


class Pack:
    """The files of a pack, in a zip file or in a folder, as its manifest lists them."""

    def __init__(self, path: Path) -> None:
        self.files: dict[str, bytes] = {}
        size = 0
        for name, body in read_folder(path) if path.is_dir() else read_zip(path):
            self.files[name] = body
            size += len(body)
            if size > LARGEST_PACK:
                wrong(f"it holds more than {LARGEST_PACK >> 20} MB")
        # The logs that go on from what was kept outside; None where nothing was.
        self.covered: set[str] | None = None
        self.manifest = read_json(self.read("manifest.json"))

    def read(self, name: str) -> bytes:
        if name not in self.files:
            wrong(f"{name} is missing")
        return self.files[name]

    def under(self, folder: str, ending: str = "") -> list[str]:
        return sorted(
            n for n in self.files if n.startswith(folder) and n.endswith(ending)
        )

    def check_manifest(self) -> str:
        listed = self.manifest["files"]
        for name, about in sorted(listed.items()):
            if hashlib.sha256(self.read(name)).hexdigest() != about["sha256"]:
                wrong(f"{name} is not the file that the manifest lists")
        extra = sorted(set(self.files) - set(listed) - {"manifest.json"})
        if extra:
            wrong(f"{extra[0]} is not in the manifest")
        return f"{len(listed)} files"

    def logs(self) -> list[str]:
        return [n.rpartition("/")[0] for n in self.under("logs/", "/checkpoint")]

    def head(self, log: str) -> Checkpoint:
        return Checkpoint(self.read(f"{log}/checkpoint").decode())

    def check_logs(self) -> str:
        """Refuse two heads of one log: each would vouch for a history of its own."""
        origins = [self.head(log).origin for log in self.logs()]
        twice = sorted(o for o in set(origins) if origins.count(o) > 1)
        if twice:
            wrong(f"it holds more than one head of the log {twice[0]}")
        return f"{len(origins)}, each with one head"


def read_zip(path: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as pack:
        names = pack.namelist()
        if len(set(names)) < len(names):
            wrong("the zip file holds a name twice")
        for info in pack.infolist():
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                wrong(f"{info.filename} is packed as no file of a pack is")
            with pack.open(info) as file:
                yield info.filename, bounded(file, info.filename)


def bounded(file: IO[bytes], name: str) -> bytes:
    """The bytes of a file; refuse more of them than any file of ours has."""
    body = file.read(LARGEST_FILE + 1)
    if len(body) > LARGEST_FILE:
        wrong(f"{name} holds more than {LARGEST_FILE >> 20} MB")
    return body


def read_file(path: Path) -> bytes:
    with path.open("rb") as file:
        return bounded(file, path.name)


def read_folder(path: Path) -> Iterator[tuple[str, bytes]]:
    """The files that the manifest lists; a folder may hold others beside them."""
    listed = read_json(read_file(path / "manifest.json"))["files"]
    for name in ["manifest.json", *listed]:
        found = (path / name).resolve()
        if found.is_relative_to(path.resolve()) and found.is_file():
            yield name, read_file(found)


def check_pack(pack: Pack, keys: Keys, outside: list[Path], report: Report) -> None:
    report.check("manifest.json", pack.check_manifest)
    report.check("logs", pack.check_logs)
    for path in outside:
        pack.covered = pack.covered or set()
        report.check(str(path), partial(check_outside, pack, path, keys))
    for name in pack.under("records/", ".json"):
        report.check(name, partial(check_record, pack, name, keys, report))
    for folder in ("policies/", "notices/", "rulebooks/"):
        for name in pack.under(folder):
            if not name.endswith(".html"):
                report.check(name, partial(check_name, pack, name))
    if "rules.json" in pack.files:
        report.check("rules.json", partial(check_rules, pack))
    for log in pack.logs():
        check_log(pack, log, keys, report)


def check_record(pack: Pack, name: str, keys: Keys, report: Report) -> str:
    """Check a receipt of the pack, and that what it points at is there."""
    receipt = read_json(pack.read(name))
    said = check_receipt(receipt, keys)
    if receipt["log"] is not None:
        check_place(pack, receipt["log"]["checkpoint"])
    record = receipt["record"]
    if record is not None and record["kind"] == "consent":
        said += check_pointed_at(pack, record)
    report.count(receipt)
    return said


def check_place(pack: Pack, note: str) -> None:
    """Refuse a place in a log that the pack, or what was kept outside, says nothing of.

    Who has the key can begin another log, and put there whatever they like.
    """
    if note not in [
        pack.read(f"{folder}/checkpoint").decode() for folder in pack.logs()
    ]:
        wrong("its checkpoint is none of the pack's")
    origin = Checkpoint(note).origin
    if pack.covered is not None and origin not in pack.covered:
        wrong(f"no checkpoint that you kept covers its log, {origin}")


def check_pointed_at(pack: Pack, record: dict[str, Any]) -> str:
    """Refuse a record of which a document that it names is missing."""
    notice = record["notice"]["hash"]
    for folder, named in (
        ("policies", record["policy"]["hash"]),
        ("rulebooks", record["jurisdiction"]["rulebook"]),
        ("notices", notice),
    ):
        if named is not None:
            pack.read(f"{folder}/{digits(named)}.json")
    for asset in assets_of(pack, notice):
        pack.read(f"notices/assets/{digits(asset)}")
    return "" if notice else "; no notice of ours was shown"


def assets_of(pack: Pack, notice: str | None) -> list[str]:
    """The style sheets, scripts and pictures that a notice was shown with."""
    if notice is None:
        return []
    document = read_json(pack.read(f"notices/{digits(notice)}.json"))
    pictures = document.get("files", {}).values()
    return [*document.get("styles", []), *document.get("scripts", []), *pictures]


def digits(named: str) -> str:
    """The hexadecimal digits of a name `sha256:…`."""
    kind, _, found = named.partition(":")
    if (
        kind != "sha256"
        or len(found) != 2 * BYTES
        or set(found) - set("0123456789abcdef")
    ):
        wrong("it points at a document by what is no hash")
    return found


def check_name(pack: Pack, name: str) -> str:
    """Refuse a document whose bytes do not have the hash that is its name."""
    named = name.rpartition("/")[2].partition(".")[0]
    if hashlib.sha256(pack.read(name)).hexdigest() != named:
        wrong("it was edited: it does not have the hash that names it")
    return "is what its hash names"


def check_rules(pack: Pack) -> str:
    """Refuse rule rows that are not those of the rule book they are taken from."""
    rows = read_json(pack.read("rules.json"))
    for named, places in rows.items():
        book = read_json(pack.read(f"rulebooks/{digits(named)}.json"))
        for place, taken in places.items():
            kept = book["unknown"] if place == "*" else book["places"][place]
            if not are_same(taken, kept):
                wrong(f"the rows of {place} are not those of their rule book")
    return "the rows stand so in their rule books"


def check_log(pack: Pack, log: str, keys: Keys, report: Report) -> None:
    """Check a log's head, that it grew from older heads, and what others said."""
    report.check(f"{log}/checkpoint", partial(check_head, pack, log, keys))
    for name in pack.under(f"{log}/older/", ".json"):
        report.check(name, partial(check_older, pack, log, name, keys))
    for name in pack.under(f"{log}/timestamps/", ".tsr"):
        report.check(name, partial(check_timestamp, pack, log, name, keys))


def check_head(pack: Pack, log: str, keys: Keys) -> str:
    head = pack.head(log)
    keys.require_checkpoint(head)
    return "; ".join([f"{head}, root {head.root.hex()}", *keys.witnesses(head)])


def check_older(pack: Pack, log: str, name: str, keys: Keys) -> str:
    """Refuse an older head that the newest one did not grow from."""
    head = pack.head(log)
    part = read_json(pack.read(name))
    older = Checkpoint(part["checkpoint"])
    keys.require_checkpoint(older)
    require_growth(older, head, hashes(part["consistency_proof"]))
    said = f"the log grew from its first {older.size} entries"
    return "; ".join([said, *keys.witnesses(older)])


def require_growth(older: Checkpoint, head: Checkpoint, proof: list[bytes]) -> None:
    """Refuse two heads of which the later does not continue the earlier."""
    if older.origin != head.origin:
        wrong(f"the {older} is of another log")
    expected = (older.root, head.root)
    found = (
        (head.root, older.root)
        if older.size == head.size
        else roots_of_growth(older.size, head.size, older.root, proof)
    )
    if found != expected:
        wrong(f"the log was rewritten: it does not continue the {older}")


def check_timestamp(pack: Pack, log: str, name: str, keys: Keys) -> str:
    """Refuse a time-stamp of anything but a head of this log.

    Who signed it and when is for `openssl ts` to say, as README.txt shows.
    """
    note = pack.read(f"{name.rpartition('-')[0]}.note")
    if hashlib.sha256(note).digest() not in pack.read(name):
        wrong("it is a time-stamp of something else")
    stamped = Checkpoint(note.decode())
    keys.require_checkpoint(stamped)
    head = pack.head(log)
    if stamped.size != head.size:
        part = read_json(pack.read(f"{log}/older/{stamped.size}.json"))
        head = Checkpoint(part["checkpoint"])
    if stamped.text != head.text:
        wrong("it is a time-stamp of a head that this log does not have")
    return f"it is of the {stamped}; README.txt says how to check who signed it, when"


def check_outside(pack: Pack, path: Path, keys: Keys) -> str:
    """Refuse a pack that does not go with a checkpoint that was kept outside."""
    kept = Checkpoint(note_in(path))
    keys.require_checkpoint(kept)
    for log in pack.logs():
        head = pack.head(log)
        if head.origin != kept.origin:
            continue
        if kept.size > head.size:
            wrong(f"it is of {kept.size} entries, and the pack was made at {head.size}")
        proof = f"{log}/older/{kept.size}.json"
        if kept.size < head.size and proof not in pack.files:
            wrong(
                f"the pack holds no proof from {kept.size} entries; it can be made anew"
                " with one: evidence --checkpoint FILE"
            )
        part = read_json(pack.read(proof)) if kept.size < head.size else {}
        require_growth(kept, head, hashes(part.get("consistency_proof", [])))
        if pack.covered is not None:
            pack.covered.add(kept.origin)
        return f"the log grew from what you kept ({kept.size} entries)"
    return wrong(f"the pack holds nothing of the log {kept.origin}")


def note_in(path: Path) -> str:
    """A checkpoint's note; of a receipt, the note in it.

    As a mail program or an editor may have left it: with a mark of byte order, other
    ends of lines, or without the last one.
    """
    text = read_file(path).decode("utf-8-sig").replace("\r\n", "\n").strip() + "\n"
    if not text.startswith("{"):
        return text
    log = read_json(text)["log"]
    if log is None:
        wrong("this receipt was handed out before its record had a place in a log")
    return str(log["checkpoint"])


# --- The command ---------------------------------------------------------------------


def verify_receipt(path: Path, named: list[str], outside: list[Path]) -> Report:
    """Check one receipt that a person downloaded."""
    report = Report()

    def work() -> str:
        receipt = read_json(read_file(path))
        keys = Keys(named, receipt.get("keys", []))
        report.own_word = keys.own_word
        said = check_receipt(receipt, keys)
        for kept in (Checkpoint(note_in(other)) for other in outside):
            keys.require_checkpoint(kept)
            if receipt["log"] is None:
                wrong("it is in no log yet: nothing holds it against what you kept")
            head = Checkpoint(receipt["log"]["checkpoint"])
            if kept.size != head.size:
                wrong("one receipt holds no proof from a checkpoint of another size")
            require_growth(kept, head, [])
        report.count(receipt)
        return said

    report.check(path.name, work)
    return report


def verify_pack(path: Path, named: list[str], outside: list[Path]) -> Report:
    """Check a pack and everything in it."""
    report = Report()

    def work() -> str:
        pack = Pack(path)
        keys = Keys(named, pack.read("keys.txt").decode("utf-8-sig").splitlines())
        report.own_word = keys.own_word
        check_pack(pack, keys, outside, report)
        return f"{len(pack.under('records/', '.json'))} records"

    report.check(path.name, work)
    return report


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Check an evidence pack, or one receipt."
    )
    here = Path(__file__).resolve().parent
    parser.add_argument("file", type=Path, nargs="?", default=here)
    parser.add_argument("--key", action="append", default=[], metavar="LINE")
    parser.add_argument(
        "--checkpoint", action="append", default=[], type=Path, metavar="FILE"
    )
    parser.add_argument("--unsealed", action="store_true")
    asked = parser.parse_args(arguments)
    verify = verify_receipt if asked.file.suffix == ".json" else verify_pack
    report = verify(asked.file, asked.key, asked.checkpoint)
    if report.own_word:
        say("The keys are the pack's own word. Compare them with those that the site")
        say("publishes, or that you kept, and give them by --key.")
    return 0 if report.conclude(asked.unsealed) else 1


if __name__ == "__main__":
    sys.exit(main())
