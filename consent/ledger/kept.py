"""Checkpoints kept outside the database, so that one that was put back is noticed.

For each log a folder `<site>/<number>` in `CONSENT_CHECKPOINT_DIR`: `newest` holds the
newest signed note, and a file of JSON lines for each month holds them all. A checkpoint
is written here after its transaction has committed: what is kept here may be behind the
database, never before it. Keep the folder on another disk, or send it to another
machine: whoever can change both can still make them agree.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from consent.core.record import timestamp
from consent.core.signed_note import (
    CheckpointText,
    NoteError,
    parse_checkpoint,
    parse_note,
)
from consent.models import Checkpoint, Site

log = logging.getLogger(__name__)


def folder(site: Site, number: int) -> Path:
    """Where the checkpoints of one of a site's logs are kept."""
    return Path(settings.CONSENT_CHECKPOINT_DIR) / site.slug / str(number)


def keep(site: Site, checkpoint: Checkpoint) -> None:
    """Keep a committed checkpoint. A disk that refuses is told of, and waits for none.

    An older checkpoint never takes the place of a newer one.
    """
    try:
        with _alone(folder(site, checkpoint.log)) as place:
            newest = _read(place / "newest")
            if newest is None or newest.size < checkpoint.tree_size:
                _add_line(place, checkpoint)
                _replace(place / "newest", checkpoint.note)
    except OSError:
        log.exception("A checkpoint of %s could not be kept.", site.slug)


@contextmanager
def _alone(place: Path) -> Iterator[Path]:
    """The folder, made where it is missing, under a lock between processes."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (place / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield place


def _add_line(place: Path, checkpoint: Checkpoint) -> None:
    at = timestamp(checkpoint.time)
    line = json.dumps({"time": at, "note": checkpoint.note}, ensure_ascii=False)
    with (place / f"{at[:7]}.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def _replace(path: Path, note: str) -> None:
    """Put a note where another stood, so that a reader sees the one or the other."""
    whole = path.with_name(f".{path.name}-{os.getpid()}")
    with whole.open("w", encoding="utf-8") as file:
        file.write(note)
        file.flush()
        os.fsync(file.fileno())
    whole.replace(path)


def newest(site: Site, number: int) -> CheckpointText | None:
    """The newest checkpoint kept of a log; None where none is, or none can be read."""
    place = folder(site, number)
    return _read(place / "newest") or max(
        (parse_checkpoint(parse_note(note).text) for note in notes(site, number)),
        key=lambda kept: kept.size,
        default=None,
    )


def _read(path: Path) -> CheckpointText | None:
    try:
        return parse_checkpoint(parse_note(path.read_text(encoding="utf-8")).text)
    except FileNotFoundError:
        return None
    except (OSError, NoteError, UnicodeError):
        log.exception("The kept checkpoint %s cannot be read.", path.name)
        return None


def notes(site: Site, number: int) -> Iterator[str]:
    """Every note kept of a log, oldest first; a line that was cut off is left out."""
    for path in sorted(folder(site, number).glob("*.jsonl")):
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                try:
                    note = json.loads(line)["note"]
                    parse_checkpoint(parse_note(note).text)
                except (ValueError, KeyError, TypeError):
                    continue
                yield note


def numbers(site: Site) -> list[int]:
    """The numbers of the logs of which checkpoints are kept."""
    place = Path(settings.CONSENT_CHECKPOINT_DIR) / site.slug
    found = place.iterdir() if place.is_dir() else ()
    return sorted(int(path.name) for path in found if path.name.isdecimal())
