"""Reading a table row by row, in constant memory, with the number of each line."""

import csv
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, TextIO

from consent.core.imports import Row, Source, Table, Wishes, row, table

# A line, and how many rows may belong to one answer.
_LONGEST_LINE: Final = 1 << 20
_LARGEST_GROUP: Final = 100


class FileError(ValueError):
    """A file of which nothing can be imported; the text says why."""


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that is not understood: its line, what is wrong, and what it holds."""

    line: int
    says: str
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Group:
    """Rows, one after the other, that are one answer of one person."""

    last: int
    rows: tuple[Row, ...]


type OnBad = Callable[[Bad], None]


class TableFile:
    """A table in a file that does not change while it is read.

    `digest` is the SHA-256 of its bytes, by which the log knows it. FileError for a
    file that cannot be read, or whose header lacks something.
    """

    def __init__(self, path: Path, *, source: Source, wishes: Wishes) -> None:
        self.path = path
        try:
            self._state = self._stat()
            with path.open("rb") as file:
                self.digest = (
                    f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
                )
            self.table = self._read_header(source, wishes)
        except OSError as error:
            raise FileError(f"{path} cannot be read: {error.strerror}.") from error

    def require_unchanged(self) -> None:
        """FileError where somebody writes to the file meanwhile."""
        if self._stat() != self._state:
            raise FileError(f"{self.path} has changed while it was read.")

    def groups(self, *, now: datetime, on_bad: OnBad) -> Iterator[Group]:
        """The answers in their order; rows that are not understood go to `on_bad`."""
        waiting: list[Row] = []
        last = 0
        for line, found in self._rows(now, on_bad):
            if waiting and (
                found.of != waiting[0].of or len(waiting) == _LARGEST_GROUP
            ):
                yield Group(last, tuple(waiting))
                waiting = []
            waiting.append(found)
            last = line
        if waiting:
            yield Group(last, tuple(waiting))

    def _rows(self, now: datetime, on_bad: OnBad) -> Iterator[tuple[int, Row]]:
        with self._open() as file:
            rows = self._cells(file)
            next(rows, None)
            for line, cells in rows:
                try:
                    found = row(self.table, cells, now=now)
                except ValueError as error:
                    on_bad(Bad(line, str(error), cells))
                    continue
                yield line, found

    def _read_header(self, source: Source, wishes: Wishes) -> Table:
        with self._open() as file:
            header = next(self._cells(file), None)
        if header is None:
            raise FileError(f"{self.path} is empty.")
        try:
            return table(source=source, header=header[1], wishes=wishes)
        except ValueError as error:
            raise FileError(f"{self.path}, the header: {error}.") from error

    def _open(self) -> TextIO:
        return self.path.open(encoding="utf-8-sig", newline="")

    def _cells(self, file: TextIO) -> Iterator[tuple[int, list[str]]]:
        """Each row that is not empty, with the number of its last line."""
        reader = csv.reader(self._lines(file), strict=True)
        try:
            for cells in reader:
                if cells:
                    yield reader.line_num, cells
        except csv.Error as error:
            line = reader.line_num
            raise FileError(f"{self.path}, line {line}: {error}.") from error
        except UnicodeDecodeError as error:
            line = reader.line_num + 1
            raise FileError(
                f"{self.path} is not UTF-8, at line {line} or soon after."
            ) from error

    def _lines(self, file: TextIO) -> Iterator[str]:
        while line := file.readline(_LONGEST_LINE):
            if len(line) == _LONGEST_LINE:
                raise csv.Error("a line of more than a million characters")
            if "\0" in line:
                raise csv.Error("a NUL character")
            yield line

    def _stat(self) -> tuple[int, int, int]:
        found = self.path.stat()
        return found.st_ino, found.st_size, found.st_mtime_ns
