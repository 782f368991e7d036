"""Checkpoints kept outside the database, so that one that was put back is noticed.

For each log a folder `<site>/<number>` in `CONSENT_CHECKPOINT_DIR`: `newest` holds the
newest signed note, and a file of JSON lines for each month holds them all. A checkpoint
is written here after its transaction has committed: what is kept here may be behind the
database, never before it, and the next seal or sweep makes good what a crash left out.
Keep the folder on another disk, and where several machines seal let them share it:
whoever can change both it and the database can still make them agree.
"""

import fcntl
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

from django.conf import settings

from consent.core.record import timestamp
from consent.core.signed_note import (
    CheckpointText,
    NoteError,
    parse_checkpoint,
    parse_note,
)
from consent.models import Checkpoint, Site

# How long a visitor may wait for another process to have written, in seconds.
PATIENCE: Final = 0.2
# The largest number of a log that its column holds.
LARGEST: Final = 32_767
# Enough of the end of a month's file to hold its last notes.
_TAIL: Final = 16_384
_LAST: Final = 4
log = logging.getLogger(__name__)


class KeptUnreadableError(OSError):
    """Checkpoints are kept and cannot be read: nobody knows what was signed."""


def folder(site: Site, number: int) -> Path:
    """Where the checkpoints of one of a site's logs are kept."""
    return Path(settings.CONSENT_CHECKPOINT_DIR) / site.slug / str(number)


def keep(site: Site, checkpoint: Checkpoint) -> None:
    """Keep a committed checkpoint, unless one as new is kept already.

    A disk that refuses, or keeps others waiting, is told of and waited for no longer:
    the next seal or sweep tries again.
    """
    try:
        with _alone(folder(site, checkpoint.log)) as place:
            held = newest(site, checkpoint.log)
            if held is None or held.size < checkpoint.tree_size:
                _add_line(place, checkpoint)
                _replace(place / "newest", checkpoint.note)
    except OSError:
        log.exception("A checkpoint of %s could not be kept.", site.slug)


@contextmanager
def _alone(place: Path) -> Iterator[Path]:
    """The folder, made where it is missing, under a lock between processes."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (place / "lock").open("w") as file:
        _lock(file.fileno())
        yield place


def _lock(descriptor: int) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise
            time.sleep(0.005)


def _add_line(place: Path, checkpoint: Checkpoint) -> None:
    at = timestamp(checkpoint.time)
    line = json.dumps({"time": at, "note": checkpoint.note}, ensure_ascii=False)
    with (place / f"{at[:7]}.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
        file.flush()
        os.fdatasync(file.fileno())


def _replace(path: Path, note: str) -> None:
    """Put a note where another stood, so that a reader sees the one or the other."""
    whole = path.with_name(f".{path.name}-{os.getpid()}")
    with whole.open("w", encoding="utf-8") as file:
        file.write(note)
        file.flush()
        os.fdatasync(file.fileno())
    whole.replace(path)


def newest(site: Site, number: int) -> CheckpointText | None:
    """The newest checkpoint kept of a log; None where none ever was.

    KeptUnreadableError, or another OSError, where some are kept and none can be read:
    not to know is not the same as that there is none.
    """
    place = folder(site, number)
    found = [*_notes_in(place / "newest"), *_last_lines(place)]
    if not found:
        found = [
            parse_checkpoint(parse_note(note).text) for note in notes(site, number)
        ]
    if not found and (_months(place) or (place / "newest").exists()):
        raise KeptUnreadableError(f"the kept checkpoints in {place} cannot be read")
    return max(found, key=lambda kept: kept.size, default=None)


def _notes_in(path: Path) -> Iterator[CheckpointText]:
    """The checkpoint in a file; none where there is no file, or it was cut off."""
    try:
        yield parse_checkpoint(parse_note(path.read_text(encoding="utf-8")).text)
    except FileNotFoundError:
        return
    except (NoteError, UnicodeError):
        log.warning("The kept checkpoint %s cannot be read.", path)


def _last_lines(place: Path) -> Iterator[CheckpointText]:
    """The last checkpoints in the newest month's file: `newest` may be behind them.

    They stand there in the order of their sizes; a few are read, in case that several
    machines shared a folder that knows no locks.
    """
    for path in _months(place)[-1:]:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            lines = file.read().decode(errors="replace").splitlines()
        last = islice(filter(None, map(_read, reversed(lines))), _LAST)
        yield from (head for _note, head in last)


def _months(place: Path) -> list[Path]:
    """The files of a log's folder, oldest first; OSError where it cannot be read."""
    try:
        return sorted(path for path in place.iterdir() if path.suffix == ".jsonl")
    except FileNotFoundError:
        return []


def notes(site: Site, number: int) -> Iterator[str]:
    """Every note kept of a log, oldest first; a line that was cut off is left out."""
    for path in _months(folder(site, number)):
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                read = _read(line)
                if read is not None:
                    yield read[0]


def _read(line: str) -> tuple[str, CheckpointText] | None:
    """The note in a line, and what it says; None where the line was cut off."""
    try:
        note: str = json.loads(line)["note"]
        return note, parse_checkpoint(parse_note(note).text)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def numbers(site: Site) -> list[int]:
    """The numbers of the logs of which checkpoints are kept."""
    return list(heads(site))


def heads(site: Site) -> dict[int, CheckpointText]:
    """The newest checkpoint kept of each log, by the logs' numbers, oldest first.

    A folder with another name, or without a note of this site's, is none of ours.
    OSError as from `newest`.
    """
    place = Path(settings.CONSENT_CHECKPOINT_DIR) / site.slug
    try:
        names = {path.name for path in place.iterdir()}
    except FileNotFoundError:
        return {}
    found = {int(name) for name in names if name.isascii() and name.isdecimal()}
    ours = sorted(n for n in found if 0 < n <= LARGEST and str(n) in names)
    held = {number: newest(site, number) for number in ours}
    return {n: head for n, head in held.items() if head and _is_of(site, n, head)}


def _is_of(site: Site, number: int, head: CheckpointText) -> bool:
    named = {f"log/{site.slug}/{number}", *([f"log/{site.slug}"] * (number == 1))}
    return head.origin.partition("/")[2] in named
