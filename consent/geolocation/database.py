"""One open geo database: its edition, its date, and what it says about an address."""

import struct
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from io import BytesIO
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

import maxminddb
from maxminddb import InvalidDatabaseError
from maxminddb.reader import Metadata, Reader

from consent.geolocation.address import Address

_CLOCK_TOLERANCE: Final = timedelta(days=2)
_SECONDS_A_DAY: Final = 86_400
_IPV6: Final = 6
READING_ERRORS: Final = (
    InvalidDatabaseError,
    ArithmeticError,
    LookupError,
    MemoryError,
    RecursionError,
    SystemError,
    TypeError,
    ValueError,
    struct.error,
)
"""What readers raise on damaged files."""


class Kind(Enum):
    """What a database is for, told by a part of its type as geoip2 tells it."""

    PLACE = ("Country", "City", "Enterprise")
    ANONYMOUS = ("Anonymous",)

    def fits(self, database_type: str) -> bool:
        return any(part in database_type for part in self.value)


class UnusableDatabaseError(Exception):
    """The file is no database that can be used; the text says why, for operators."""


class UnreadableRecordError(Exception):
    """The database is damaged at this address."""


@dataclass(frozen=True, slots=True)
class Database:
    """An open database file; its reader may be used by many threads at once."""

    edition: str
    built: date
    """The day (UTC) the data was put together."""
    built_at: float
    """The same moment in seconds since 1970."""
    reader: Reader = field(repr=False, compare=False)
    knows_ipv6: bool
    awaited_proof: Path | None
    """The file that will say that every record can be read; None when it is proved."""
    label: str = field(init=False)
    """Edition and build date, as records keep it."""

    def __post_init__(self) -> None:
        label = f"{self.edition} {self.built.isoformat()}"
        object.__setattr__(self, "label", label)

    @property
    def age_days(self) -> int:
        return int((time.time() - self.built_at) // _SECONDS_A_DAY)

    def older_than(self, *, days: int) -> bool:
        """Tell whether it may no longer be asked; a limit of 0 is no limit."""
        return days > 0 and self.age_days > days

    def covers(self, address: Address) -> bool:
        return isinstance(address, IPv4Address) or self.knows_ipv6

    def find(self, address: Address) -> object:
        """Return the record of an address, or None where nothing is said.

        Raises `UnreadableRecordError` where the file is damaged.
        """
        try:
            return self.reader.get(address)
        except READING_ERRORS as error:
            raise UnreadableRecordError from error


def open_database(
    file: Path | BytesIO, *, kind: Kind, proof: Path | None = None
) -> Database:
    """Open a database, memory-mapped when it is a path.

    The fast reader is compiled, and some kinds of damage make it end the process: it
    only gets files whose every record has been read before. `proof` is the file that
    says so; until it exists a reader written in Python answers, some six times slower.

    Raises `UnusableDatabaseError` when it is damaged, of another kind, or built in the
    future; `OSError` when it cannot be read.
    """
    try:
        proved = proof is None or proof.is_file()
        reader = _reader(file, fast=proved)
        metadata = reader.metadata()
        built = datetime.fromtimestamp(metadata.build_epoch, UTC)
    except READING_ERRORS as error:
        raise UnusableDatabaseError("is damaged or no MaxMind DB file") from error
    _refuse_unfit(metadata, built, kind)
    return Database(
        edition=metadata.database_type,
        built=built.date(),
        built_at=float(metadata.build_epoch),
        reader=reader,
        knows_ipv6=metadata.ip_version == _IPV6,
        awaited_proof=None if proved else proof,
    )


def _reader(file: Path | BytesIO, *, fast: bool) -> Reader:
    if isinstance(file, BytesIO):
        return maxminddb.open_database(file, maxminddb.MODE_FD)
    mode = maxminddb.MODE_AUTO if fast else maxminddb.MODE_MMAP
    return maxminddb.open_database(str(file), mode)


def _refuse_unfit(metadata: Metadata, built: datetime, kind: Kind) -> None:
    if not kind.fits(metadata.database_type):
        wanted = " or ".join(kind.value)
        raise UnusableDatabaseError(
            f"is of the type {metadata.database_type!r}, not a {wanted} database"
        )
    if built > datetime.now(UTC) + _CLOCK_TOLERANCE:
        raise UnusableDatabaseError(
            f"says it was built on {built.date().isoformat()}, which is in the future"
        )
