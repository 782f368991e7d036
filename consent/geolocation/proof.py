"""Prove that every record of a database can be read before anyone relies on it.

The compiled reader of maxminddb (3.2) takes the keys of a map for text without looking:
on a damaged file it can end the process. A file gets to it only after the walk below,
in Python, has read each record once.
"""

from pathlib import Path
from typing import Final

import geoip2.database
import maxminddb
from geoip2.errors import AddressNotFoundError
from maxminddb.decoder import Decoder

from consent.geolocation.database import READING_ERRORS, Kind, UnusableDatabaseError
from consent.geolocation.mmdb_writer import split_node
from consent.geolocation.storage import Origin, proof_of, written_copy

_SEPARATOR_BYTES: Final = 16
_PROBE: Final = "8.8.8.8"
_METHODS: Final = ("city", "country", "enterprise", "anonymous_ip", "anonymous_plus")


def prove(origin: Origin, *, kind: Kind, folder: Path) -> None:
    """Read all of a database and leave the proof where servers look for it.

    Takes some seconds a million networks. Raises `UnusableDatabaseError` when a record
    cannot be read, and `OSError` when the folder cannot be written.
    """
    copy = written_copy(origin, kind=kind, folder=folder)
    proof = proof_of(copy)
    if not proof.is_file():
        prove_readable(copy)
        proof.touch()


def prove_readable(path: Path) -> None:
    """Read every record, and look an address up with geoip2.

    Raises `UnusableDatabaseError` when something cannot be read or there is nothing.
    """
    try:
        _read_every_record(path)
        _look_up(path)
    except READING_ERRORS as error:
        raise UnusableDatabaseError("has records that cannot be read") from error


def _read_every_record(path: Path) -> None:
    with maxminddb.open_database(str(path), maxminddb.MODE_MMAP) as reader:
        metadata = reader.metadata()
    content, count, bits = path.read_bytes(), metadata.node_count, metadata.record_size
    records = count * bits // 4 + _SEPARATOR_BYTES
    decoder = Decoder(content, records)
    pointers = _pointers(content, count, bits)
    if not pointers:
        raise ValueError("There is no record.")
    for pointer in pointers:
        if pointer < count + _SEPARATOR_BYTES:
            raise ValueError("A record lies outside its section.")
        value, _ = decoder.decode(pointer - count - _SEPARATOR_BYTES + records)
        _require_text_keys(value)


def _pointers(content: bytes, count: int, bits: int) -> set[int]:
    """Return all pointers from the search tree to records."""
    found: set[int] = set()
    width = bits // 4
    for start in range(0, count * width, width):
        found.update(split_node(int.from_bytes(content[start : start + width]), bits))
    return {pointer for pointer in found if pointer > count}


def _require_text_keys(value: object) -> None:
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("A key is no text.")
        for item in value.values():
            _require_text_keys(item)
    elif isinstance(value, list):
        for item in value:
            _require_text_keys(item)


def _look_up(path: Path) -> None:
    with geoip2.database.Reader(path, mode=maxminddb.MODE_MMAP) as reader:
        edition = reader.metadata().database_type.lower().replace("-", "_")
        for method in _METHODS:
            if method in edition:
                try:
                    getattr(reader, method)(_PROBE)
                except AddressNotFoundError:
                    return
