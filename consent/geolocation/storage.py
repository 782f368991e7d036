"""Private copies of geo databases, so that nobody can change an open one.

An open database is mapped into memory. If someone copies a new file *over* it (rather
than renaming it into place), the mapping breaks and the kernel ends the process. So
what is opened is never the operator's file but a copy that this module wrote: named by
its content, shared by all processes, written aside and renamed. The embedded database
is unpacked by the same way. Where no folder can be written, the copy lives in a
temporary file or in memory.
"""

import contextlib
import hashlib
import lzma
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Final

from consent.geolocation.database import (
    Database,
    Kind,
    UnusableDatabaseError,
    open_database,
)

PACKED_SUFFIX: Final = ".xz"
_KEEP_UNUSED_SECONDS: Final = 3600
"""Another process may be about to open a copy this one no longer needs."""
_CHUNK_BYTES: Final = 1024 * 1024
_TRIES: Final = 3


class BeingWrittenError(Exception):
    """The file changed while it was read: look again in a moment."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What changes when a file is replaced or written to."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class Origin:
    """The file a database comes from; packed with xz when its name says so."""

    path: Path

    @property
    def is_packed(self) -> bool:
        """Whether it is xz: unpacking then proves that not one byte has changed."""
        return self.path.suffix == PACKED_SUFFIX

    def stamp(self) -> Stamp:
        """Return the file's stamp; raises `OSError` when it is not there."""
        stat = self.path.stat()
        return Stamp(
            stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
        )

    def digest(self) -> str:
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:32]

    @contextlib.contextmanager
    def unpacked(self) -> Iterator[IO[bytes]]:
        with self.path.open("rb") as file:
            if not self.is_packed:
                yield file
                return
            with lzma.open(file) as content:
                yield content


def open_copy(origin: Origin, *, kind: Kind, folder: Path) -> Database:
    """Open a private copy of a database.

    Raises `UnusableDatabaseError` when the file is no usable database,
    `BeingWrittenError` when it keeps changing meanwhile, and `OSError` when it is
    missing or unreadable.
    """
    for _ in range(_TRIES - 1):
        with contextlib.suppress(BeingWrittenError):
            return _first_that_works(origin, kind, folder)
    return _first_that_works(origin, kind, folder)


def _first_that_works(origin: Origin, kind: Kind, folder: Path) -> Database:
    for way in (_open_shared, _open_temporary, _open_in_memory):
        try:
            return way(origin, kind, folder)
        except (lzma.LZMAError, EOFError) as error:
            raise UnusableDatabaseError("is damaged: it cannot be unpacked") from error
        except OSError as error:
            # No room or no right to write there: the next way needs less. A file that
            # cannot be read fails in every way.
            reason = error
    raise reason


def _open_shared(origin: Origin, kind: Kind, folder: Path) -> Database:
    """Open the copy in the data folder, after writing it if it is not there."""
    stamp = origin.stamp()
    copy = written_copy(origin, kind=kind, folder=folder)
    try:
        database = open_database(copy, kind=kind, proof=_needed_proof(origin, copy))
    except UnusableDatabaseError:
        # The copy may have suffered since it was written; the origin decides.
        _write_aside(origin, copy, stamp)
        database = open_database(copy, kind=kind, proof=_needed_proof(origin, copy))
    _drop_unused(folder, kind, keep=copy)
    return database


def written_copy(origin: Origin, *, kind: Kind, folder: Path) -> Path:
    """Return the copy in a folder, after writing it if it is not there."""
    stamp = origin.stamp()
    copy = folder / f"{kind.name.lower()}-{origin.digest()}.mmdb"
    if not copy.is_file():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_aside(origin, copy, stamp)
    return copy


def proof_of(copy: Path) -> Path:
    """Return the file that says that every record of a copy was read once."""
    return copy.with_suffix(".proved")


def _needed_proof(origin: Origin, copy: Path) -> Path | None:
    return None if origin.is_packed else proof_of(copy)


def _write_aside(origin: Origin, copy: Path, stamp: Stamp) -> None:
    """Write what the origin held at `stamp`, so that name and content agree."""
    handle, name = tempfile.mkstemp(dir=copy.parent, prefix=f"{copy.stem}-")
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            _copy(origin, file, stamp)
            os.fsync(file.fileno())  # a name must not outlive a lost content
        aside.replace(copy)
    finally:
        aside.unlink(missing_ok=True)


def _copy(origin: Origin, file: IO[bytes], stamp: Stamp) -> None:
    """Copy and unpack; raises `BeingWrittenError` if it changed since `stamp`."""
    with origin.unpacked() as content:
        shutil.copyfileobj(content, file, _CHUNK_BYTES)
    file.flush()
    if origin.stamp() != stamp:
        raise BeingWrittenError


def _open_temporary(origin: Origin, kind: Kind, _folder: Path) -> Database:
    """Open a copy without a name: its space is freed when the last reader is gone."""
    with tempfile.NamedTemporaryFile(suffix=".mmdb") as aside:
        _copy(origin, aside, origin.stamp())
        copy = Path(aside.name)
        return open_database(copy, kind=kind, proof=_needed_proof(origin, copy))


def _open_in_memory(origin: Origin, kind: Kind, _folder: Path) -> Database:
    """Open a copy in memory: some 50 µs a lookup instead of some 5, but it works."""
    memory = BytesIO()
    _copy(origin, memory, origin.stamp())
    memory.seek(0)
    return open_database(memory, kind=kind)


def _drop_unused(folder: Path, kind: Kind, *, keep: Path) -> None:
    """Delete former copies: licences of geo databases ask to destroy old versions."""
    oldest = time.time() - _KEEP_UNUSED_SECONDS
    for path in folder.glob(f"{kind.name.lower()}-*"):
        with contextlib.suppress(OSError):
            if path.stem != keep.stem and path.stat().st_mtime < oldest:
                path.unlink()
