"""What is kept outside the database: checkpoints that anybody holds, and receipts.

A database can be made to agree with itself by whoever may change all of it. It cannot
be made to agree with what it once signed and somebody else kept.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import batched
from typing import Final

from consent.audit.verifying import reading
from consent.audit.verifying.findings import Finding
from consent.audit.verifying.walk import Outside
from consent.core.signed_note import (
    CheckpointText,
    NoteError,
    parse_checkpoint,
    parse_note,
)
from consent.keys import verify_note

_AT_ONCE: Final = 1024


@dataclass(frozen=True, slots=True)
class Held:
    """A checkpoint that is held outside, as a signed note; `name` says by whom."""

    name: str
    note: str
    said: CheckpointText


def held(name: str, note: str) -> Held:
    """Read a checkpoint that is held outside; NoteError where the note is none."""
    return Held(name, note, parse_checkpoint(parse_note(note).text))


@dataclass(frozen=True, slots=True)
class Against:
    """The log that outside checkpoints are held against, and who may have signed."""

    site: int
    log: int
    origin: str
    size: int
    keys: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Ahead:
    """A checkpoint of more entries than there are."""

    held: Held


type Shown = Finding | Outside | Ahead


def compare(notes: Iterable[tuple[str, str]], against: Against) -> Iterator[Shown]:
    """What some checkpoints show at once, and which roots are still to be compared.

    Each is a name, which says who holds it, and a signed note. One that the database
    has as well is compared there; it may be younger than this run.
    """
    for some in batched(notes, _AT_ONCE):
        sizes = {_size(note) for _, note in some} - {None}
        rows = _notes(sizes, against)
        for name, note in some:
            here = rows.get(_size(note))
            if here is None or not note.startswith(here):
                yield from _unlike(name, note, here, against)


def _size(note: str) -> int | None:
    """The size in the second line of a note."""
    lines = note.split("\n", 2)
    return int(lines[1]) if len(lines) > 1 and lines[1].isdecimal() else None


def _notes(sizes: Collection[int | None], against: Against) -> dict[int | None, str]:
    """The notes that the database has of some sizes."""
    if not sizes:
        return {}
    rows = reading.fetched(
        "SELECT tree_size, note FROM consent_checkpoint WHERE site_id = %s "  # noqa: S608 - only marks are added
        f"AND log = %s AND tree_size IN ({', '.join(['%s'] * len(sizes))})",
        (against.site, against.log, *(size for size in sizes if size is not None)),
    )
    return dict(rows)


def _unlike(
    name: str, note: str, here: str | None, against: Against
) -> Iterator[Shown]:
    """What a checkpoint shows of which the database has another, or none."""
    log, keys = against.log, against.keys.values()
    try:
        one = held(name, note)
    except NoteError as error:
        yield Finding(f"{name} is no checkpoint ({error})", log)
        return
    signed, origin = parse_note(note), against.origin
    if one.said.origin != origin:
        yield Finding(f"{name} is of another log, {one.said.origin}", log)
    elif not any(verify_note(signed, name=origin, public=key) for key in keys):
        yield Finding(f"{name} is not signed by a key that is known here", log)
    elif one.said.size > against.size:
        yield Ahead(one)
    else:
        yield Outside(one.said.size, one.said.root, name, gone=here is None)


def rolled_back(one: Held, against: Against) -> Finding:
    """What is wrong where somebody holds a checkpoint of entries that are not here."""
    says = (
        f"the log was rolled back or cut off: {one.name} covers {one.said.size} "
        f"entries, and {against.size} are here"
    )
    return Finding(says, against.log, against.size)
