"""Files as strangers leave them: edited by a program, or made to break the verifier."""

import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from consent.audit.pack import verify_evidence as verifier
from consent.models import Checkpoint
from tests.packs import VERIFIER, Made, refused, verify

# What the verifier gets of memory while it reads what would fill more than that.
LITTLE = 700 << 20


@pytest.mark.parametrize(
    "left",
    [
        lambda note: b"\xef\xbb\xbf" + note,
        lambda note: note.rstrip(b"\n"),
        lambda note: note.replace(b"\n", b"\r\n"),
        lambda note: note + b"\n\n",
    ],
    ids=["byte order mark", "no last newline", "other newlines", "more newlines"],
)
def test_a_checkpoint_is_read_as_an_editor_left_it(made: Made, left: object) -> None:
    file = made.folder / "kept"
    note = Checkpoint.objects.latest("tree_size").note.encode()
    file.write_bytes(left(note))  # type: ignore[operator]
    code, told = verify(made.path, "--checkpoint", file, cwd=made.folder)
    assert code == 0, told
    assert verifier.note_in(file).encode() == note


def patched(made: Made, offset: int, value: bytes) -> Path:
    """The pack with some bytes of its first directory entry changed."""
    body = bytearray(made.path.read_bytes())
    at = body.find(b"PK\x01\x02") + offset
    body[at : at + len(value)] = value
    file = made.folder / "patched.zip"
    file.write_bytes(body)
    return file


def test_a_zip_file_with_a_password_or_packed_otherwise_is_told_to_be_wrong(
    made: Made,
) -> None:
    assert "cannot be read" in refused(patched(made, 8, b"\x01"))
    for method in (12, 14, 99):
        packed = patched(made, 10, method.to_bytes(2, "little"))
        assert "is packed as no file of a pack is" in refused(packed)


def limited(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", str(VERIFIER), str(file)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (LITTLE, LITTLE)),
    )


def test_a_small_zip_file_that_unfolds_into_a_large_one_is_refused(
    tmp_path: Path,
) -> None:
    bomb = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as pack,
        pack.open("manifest.json", "w", force_zip64=True) as file,
    ):
        for _ in range(1100):
            file.write(bytes(1 << 20))
    run = limited(bomb)
    assert run.returncode == 1
    assert "manifest.json holds more than 64 MB" in run.stdout
    assert "Traceback" not in run.stderr


def test_many_files_are_not_read_beyond_what_a_pack_may_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifier, "LARGEST_PACK", 3 << 20)
    many = tmp_path / "many.zip"
    with zipfile.ZipFile(many, "w", zipfile.ZIP_DEFLATED) as pack:
        for number in range(4):
            pack.writestr(f"{number}", bytes(1 << 20))
    with pytest.raises(verifier.EvidenceError, match="more than 3 MB"):
        verifier.Pack(many)


def test_a_large_file_in_a_folder_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "manifest.json").open("wb") as file:
        file.truncate(verifier.LARGEST_FILE + 1)
    assert "manifest.json holds more than 64 MB" in refused(tmp_path)


@pytest.mark.parametrize(
    "error", [RuntimeError, NotImplementedError, MemoryError, EOFError]
)
def test_whatever_reading_stumbles_over_is_an_outcome(error: type[Exception]) -> None:
    def stumble() -> str:
        raise error

    report = verifier.Report()
    report.check("a file", stumble)
    assert report.wrong == 1
