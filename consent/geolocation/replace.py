"""Put a file in place of another: all of it or nothing, even when power fails."""

import os
import tempfile
from pathlib import Path
from typing import Final

_READABLE: Final = 0o644


def put_in_place(content: bytes, target: Path) -> None:
    """Write content beside the target, then rename it into place."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        move_into_place(aside, target)
    finally:
        aside.unlink(missing_ok=True)


def move_into_place(aside: Path, target: Path) -> None:
    """Rename a complete file of the same folder over the target and flush both.

    Keeps the permissions of the file that was there; a new one is readable by all, as
    a geo database holds no secret and servers run under other accounts.
    """
    aside.chmod(target.stat().st_mode & 0o777 if target.exists() else _READABLE)
    _flush(aside)
    aside.replace(target)
    _flush(target.parent)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
