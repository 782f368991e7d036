"""What an evidence pack says to the person who opens it, in plain words."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from string import Template
from textwrap import fill, indent
from typing import Any, Final

from django.utils import translation
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString

from consent.audit.claims import CLAIMS
from consent.audit.signers import signers
from consent.models import Site

FOLDER: Final = Path(__file__).parent / "pack"
VERIFIER: Final = FOLDER / "verify_evidence.py"
_WIDTH: Final = 84

type Receipt = Mapping[str, Any]

_NO_STAMPS: Final = "There are none in this pack."
_STAMPS: Final = """\
A time-stamp says that a head of the log existed at its time, and with it everything
that the head covers. verify_evidence.py sees that it names the head. Who signed it, and
when, is for OpenSSL to say, with the certificates of the time-stamping authority:

    openssl ts -verify -data logs/1/timestamps/SIZE.note \\
        -in logs/1/timestamps/SIZE-1.tsr -CAfile CERTIFICATES.pem
    openssl ts -reply -text -in logs/1/timestamps/SIZE-1.tsr"""


def readme(
    *, site: Site, receipts: Sequence[Receipt], files: Mapping[str, bytes]
) -> dict[str, bytes]:
    """`README.txt`, and `README.html` with an overview of the records."""
    with translation.override("en"):
        claims = [fill(str(claim), _WIDTH) for claim in CLAIMS]
    keys = files["keys.txt"].decode().splitlines()
    words = {
        "site": site.slug,
        "name": site.name,
        "controller": site.controller_name,
        "records": str(len(receipts)),
        "warning": "\n".join(fill(line, _WIDTH) for line in _warnings(receipts)),
        "published": indent("\n".join(_published(keys)), "    "),
        "keys": " ".join(f"--key '{line}'" for line in _used(keys, receipts, files)),
        "claims": "\n".join(claims),
        "timestamps": _STAMPS if any(n.endswith(".tsr") for n in files) else _NO_STAMPS,
    }
    text = _template("README.txt").substitute(words)
    rows = "\n".join(
        _row(name, r) for name, r in zip(_names(files), receipts, strict=True)
    )
    page = _template("README.html").substitute(
        site=escape(site.slug), rows=rows, text=escape(text)
    )
    return {"README.txt": text.encode(), "README.html": page.encode()}


def _template(name: str) -> Template:
    return Template((FOLDER / name).read_text(encoding="utf-8"))


def _names(files: Mapping[str, bytes]) -> list[str]:
    return sorted(name for name in files if name.startswith("records/"))


def _published(keys: Sequence[str]) -> list[str]:
    """Where the site says its keys itself, for each of its logs."""
    origins = dict.fromkeys(line.partition("+")[0] for line in keys)
    return [f"https://{origin}/key" for origin in origins]


def _used(
    keys: Sequence[str], receipts: Sequence[Receipt], files: Mapping[str, bytes]
) -> list[str]:
    """The keys that the pack cannot be verified without, retired ones among them."""
    heads = [
        body.decode()
        for name, body in files.items()
        if name.startswith("logs/") and name.endswith(("/checkpoint", ".note"))
    ]
    older = [
        json.loads(body)["checkpoint"]
        for name, body in files.items()
        if name.startswith("logs/") and name.endswith(".json")
    ]
    ids = {receipt["key_id"] for receipt in receipts}
    return signers(keys, key_ids=ids, notes=[*heads, *older])


def _warnings(receipts: Sequence[Receipt]) -> Iterator[str]:
    """What a reader must know of these records before anything else."""
    if any("restricted_at" in receipt for receipt in receipts):
        yield (
            "RESTRICTED: the person had some of these records erased. They are kept "
            "out of every view until retention ends (GDPR art. 18) and stand here only "
            "for the establishment, exercise or defence of legal claims."
        )
    gone = sum(receipt["canonical"] is None for receipt in receipts)
    if gone:
        yield f"The content of {gone} of them is gone; their place in the log stays."
    waiting = sum(receipt["log"] is None for receipt in receipts)
    if waiting:
        yield f"{waiting} of them are not in the log's tree yet: make the pack again."


def _row(name: str, receipt: Receipt) -> SafeString:
    record, log = receipt["record"], receipt["log"]
    place = f"{log['index']} of {log['tree_size']}" if log else "not yet"
    link = format_html('<a href="{}">{}</a>', name, receipt["id"])
    if record is None:
        return _cells("", receipt["gone"], "", "", "", "", "", "", place, link)
    answers = {**record["purposes"], **record["services"]}
    said = ", ".join(f"{what}: {'yes' if on else 'no'}" for what, on in answers.items())
    where = record["location"]["subdivision"] or record["location"]["country"] or "?"
    return _cells(
        record["time"],
        record["event"],
        said,
        record["surface"],
        f"{where}, {record['jurisdiction']['rule']} ({record['model']})",
        record["policy"]["version"],
        record["valid_until"] or "",
        _notice(record),
        place,
        link,
    )


def _notice(record: Mapping[str, Any]) -> str:
    digest = record["notice"]["hash"]
    if digest is None:
        return "none of ours"
    file = f"notices/{digest.removeprefix('sha256:')}.html"
    return format_html('<a href="{}">{}</a>', file, record["notice"]["language"])


def _cells(*cells: object) -> SafeString:
    joined = format_html_join("", "<td>{}</td>", ((cell,) for cell in cells))
    return format_html("<tr>{}</tr>", joined)
