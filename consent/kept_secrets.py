"""Secrets that are made once and kept in a private file.

Pure of Django, so that settings can be made with it.
"""

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path


def path_of(name: str, folder: Path) -> Path:
    """Where the secret of a setting is kept: `CONSENT_KEY` in `consent-key`."""
    return folder / name.lower().replace("_", "-")


def read_or_make(path: Path, make: Callable[[], str]) -> str:
    """The secret in a file; where there is none, one is made and kept (0600).

    Raises OSError where it can neither be read nor kept, or is no secret.
    """
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        whole = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
        descriptor = os.open(
            whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR
        )
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(make())
        try:
            os.link(whole, path)  # only the first of two processes wins
        except FileExistsError:
            pass
        finally:
            whole.unlink()
    kept = path.read_text(encoding="ascii", errors="replace").strip()
    if not kept or not kept.isascii():
        raise OSError("what is there is no secret; remove the file")
    return kept
