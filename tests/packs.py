"""Evidence packs: made, tampered with, and given to the verifier by a stranger."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command

from consent import keys, ledger
from consent.audit.bundle import bundle
from consent.audit.pack import verify_evidence
from consent.core.signed_note import checkpoint_text
from consent.models import Anchor, Checkpoint, Site
from tests.conftest import NOON

type Files = dict[str, bytes]
VERIFIER = Path(verify_evidence.__file__)


def files_of(path: Path) -> Files:
    with zipfile.ZipFile(path) as pack:
        return {name: pack.read(name) for name in pack.namelist()}


def repacked(path: Path, change: Callable[[Files], None]) -> Path:
    """The pack with a change, as a forger leaves it: with a manifest that fits."""
    files = files_of(path)
    about = json.loads(files.pop("manifest.json"))
    del about["files"]
    change(files)
    made = path.with_name("forged.zip")
    made.write_bytes(bundle(files, about=about))
    return made


def clumsily(path: Path, change: Callable[[Files], None]) -> Path:
    """The pack with a change, and the manifest as it was."""
    files = files_of(path)
    change(files)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as pack:
        for name, body in files.items():
            pack.writestr(name, body)
    made = path.with_name("clumsy.zip")
    made.write_bytes(out.getvalue())
    return made


def edit(files: Files, name: str, change: Callable[[Any], None]) -> None:
    """Change a JSON file of a pack."""
    value = json.loads(files[name])
    change(value)
    files[name] = json.dumps(value, ensure_ascii=False).encode()


def leaf(canonical: str) -> str:
    return hashlib.sha256(b"\x00" + canonical.encode()).hexdigest()


def verify(*arguments: str | Path, cwd: Path) -> tuple[int, str]:
    """Run the verifier alone in a folder: its exit code, and what it says."""
    run = subprocess.run(
        [sys.executable, "-I", str(VERIFIER), *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in run.stderr, run.stderr
    return run.returncode, run.stdout + run.stderr


def refused(pack: Path, *arguments: str | Path) -> str:
    code, told = verify(pack, *arguments, cwd=pack.parent)
    assert code == 1, told
    assert "wrong." in told
    return "\n".join(line for line in told.splitlines() if line.startswith("WRONG"))


@dataclass
class Made:
    """A pack of a visitor's two records, and what it was made from."""

    path: Path
    visitor: str
    receipts: list[str]

    @property
    def folder(self) -> Path:
        return self.path.parent

    def records(self) -> list[str]:
        return sorted(n for n in files_of(self.path) if n.startswith("records/"))


def command(out: Path, *words: str) -> str:
    told = StringIO()
    call_command("evidence", *words, "--out", str(out), stdout=told)
    return told.getvalue()


def kept(path: Path, note: str) -> Path:
    path.write_text(note, encoding="utf-8")
    return path


def forked(site: Site, size: int) -> str:
    """A head that the operator's own key signed, of a history that is another."""
    origin = ledger.latest_log(site).origin  # type: ignore[union-attr]
    text = checkpoint_text(origin=origin, size=size, root=bytes(32))
    return keys.sign_note(text, name=origin)


def anchored(site: Site, head: Checkpoint, kind: str, name: str, token: bytes) -> None:
    Anchor.objects.create(
        site=site,
        log=head.log,
        tree_size=head.tree_size,
        kind=kind,
        name=name,
        token=token,
        time=NOON,
    )
