"""Each entry: its leaf hash from its contents, its columns, its link, its receipt.

The loop that every entry of a ledger goes through. It asks the least that shows an
entry to be right; what that does not show is looked at again, at leisure, for a
sentence that says what is wrong.
"""

import hmac
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from consent.audit.verifying import reading
from consent.audit.verifying.findings import Finding
from consent.audit.verifying.members import (
    COLUMNS,
    Document,
    NoRecordError,
    compared,
    documents,
    members,
)
from consent.audit.verifying.reading import Row
from consent.audit.verifying.records import Records
from consent.audit.verifying.rows import (
    AT,
    CONTENT_AT,
    KEY,
    LEAF,
    LINK_AT,
    REPEATED,
    SALT,
    SIGNATURE,
    TEXT,
    VISITOR,
    Found,
    Source,
)
from consent.keys import verify_receipt

# What comes of reading a value that is of another type than its column.
_OTHER_KIND: Final = (AttributeError, TypeError, ValueError)
WRONG_LINK: Final = "its link is not the one that was recorded with it"
_LINK_GONE: Final = "its link is gone, and no erasure took it"


@dataclass(frozen=True, slots=True)
class Reading:
    """Whose entries are read, and what is believed.

    `keys` are public keys by what receipts call them; `signatures` says that the
    signature of every receipt is to be verified.
    """

    site: int
    slug: str
    keys: Mapping[str, bytes]
    signatures: bool = False


class Contents:
    """Checks entries, and remembers what was found and what they point at.

    `documents` goes from what names documents to the first entry that points at them.
    """

    def __init__(self, whose: Reading) -> None:
        self.whose = whose
        self.findings: list[Finding] = []
        self.documents: dict[Document, int | None] = {}
        self.removed = self.links = 0
        self._log: int | None = None
        self._keys = {
            name: Ed25519PublicKey.from_public_bytes(public)
            for name, public in whose.keys.items()
        }
        self._records = Records(whose.slug)

    def check(self, entries: Sequence[Found], source: Source) -> None:
        """Check the entries of a source.

        Those that lack something may have been removed, which is asked at the end.
        """
        self._log = source.log
        is_right = self._is_right
        lacking = [one for one in entries if not is_right(*one) and self._lacks(one)]
        self.links += len(entries) - [link for *_, link in entries].count(None)
        if lacking:
            self._excuse(lacking, source)

    def _is_right(
        self,
        place: int | None,
        number: str,
        entry: Row | None,
        content: Row | None,
        link: Row | None,
    ) -> bool:
        """Whether a record is right, which nearly all are, and no more than that."""
        if entry is None or content is None:
            return False
        text, at = content[TEXT], entry[AT]
        try:
            found = self._records.read(text, number)
            if found is None:
                return False
            (columns, named), time, visitor = found
            if (
                sha256(b"\x00" + text.encode()).digest() != entry[LEAF]
                or content[REPEATED] != columns
                or content[CONTENT_AT] != at
                # What has all its milliseconds is seen at a glance.
                or (f"{at[:10]}T{at[11:23]}Z" != time and not _is_time(at, time))
                or (
                    (link is not None or visitor is not None)
                    and not fits(link, at, visitor)
                )
                or (self.whose.signatures and not self._is_signed(entry, text))
            ):
                return False
        except _OTHER_KIND:
            return False
        self.documents.setdefault(named, place)
        return True

    def _lacks(self, one: Found) -> bool:
        """Whether only a removal can explain an entry; says what else is wrong with it.

        SQLite keeps any value in any column, so that a text may be something else.
        """
        try:
            return self._lacks_something(one)
        except _OTHER_KIND:
            says = "it has a value of another kind than its column is for"
            self.findings.append(self._finding(one, says))
            return False

    def _lacks_something(self, one: Found) -> bool:
        _, _, entry, content, _ = one
        if entry is None:
            return False  # the tree, or the queue, tells of it
        if content is None:
            return True
        wrong = list(self._wrong(one, entry, content))
        self.findings += [self._finding(one, w) for w in wrong if w != _LINK_GONE]
        return _LINK_GONE in wrong

    def _wrong(self, one: Found, entry: Row, content: Row) -> Iterator[str]:
        """What is wrong with an entry, in sentences."""
        place, number, _, _, link = one
        text, at = content[TEXT], entry[AT]
        if sha256(b"\x00" + text.encode()).digest() != entry[LEAF]:
            yield "its contents are not those that its leaf hash was made of"
            return
        try:
            found = compared(members(text, site=self.whose.slug))
        except NoRecordError as error:
            yield str(error)
            return
        self.documents.setdefault(documents(found), place)
        told = {"id": number, **dict(zip(COLUMNS, content[REPEATED], strict=True))}
        yield from _differing(told, found, times={at, content[CONTENT_AT]})
        if self.whose.signatures and not self._is_signed(entry, text):
            yield "its receipt’s signature is not good"
        if not fits(link, at, found["visitor"]):
            yield WRONG_LINK if link else _LINK_GONE

    def _is_signed(self, entry: Row, text: str) -> bool:
        key = self._keys.get(entry[KEY])
        return key is not None and verify_receipt(
            public=key, canonical=text.encode(), signature=entry[SIGNATURE]
        )

    def _excuse(self, entries: list[Found], source: Source) -> None:
        """Say which of these entries lack something that no removal took."""
        reasons = _reasons(source)
        for one in entries:
            _, number, _, content, _ = one
            named = reasons.get(number, set())
            if content is None and "retention" in named:
                self.removed += 1
            elif content is None:
                says = "its contents are gone, and no retention run took them"
                self.findings.append(self._finding(one, says))
            elif not named:
                self.findings.append(self._finding(one, _LINK_GONE))

    def _finding(self, one: Found, says: str) -> Finding:
        return Finding(says, self._log, one[0], one[1])


def _reasons(source: Source) -> dict[str, set[str]]:
    """Which removals name entries of a source, read after the entries were."""
    statement = f"""
        SELECT {reading.hexed("r.entry_id")}, r.reason FROM {source.table} l
        JOIN consent_removal r
            ON r.site_id = l.site_id AND r.entry_id = l.entry_id
        WHERE {source.condition}
    """  # noqa: S608 - all of it is ours
    found: dict[str, set[str]] = {}
    for number, reason in reading.fetched(statement, source.values):
        found.setdefault(number, set()).add(reason)
    return found


def _is_time(at: str, said: str) -> bool:
    """Whether a column's time is the one that the contents say, to the millisecond."""
    whole, _, fraction = at.partition(".")
    return f"{whole[:10]}T{whole[11:]}.{fraction[:3]:0<3}Z" == said


def fits(link: Row | None, at: str, said: str | None) -> bool:
    """Whether a link is one of the record with that pseudonym, or none is needed."""
    if link is None:
        return said is None
    return link[LINK_AT] == at and opens(link[SALT], link[VISITOR], said)


def opens(salt: bytes, visitor: str, said: str | None) -> bool:
    """Whether a visitor is the one that a pseudonym names; where nobody is, none is."""
    if not visitor or said is None:
        return not visitor and said is None
    return hmac.digest(salt, visitor.encode(), "sha256").hex() == said


def _differing(
    told: Mapping[str, Any], found: Mapping[str, Any], *, times: Collection[str]
) -> Iterator[str]:
    """The columns that do not say what the contents do."""
    told_times = [("time", at) for at in times if not _is_time(at, found["time"])]
    others = [(name, value) for name, value in told.items() if value != found[name]]
    for name, value in [*others, *told_times]:
        yield f"its column {name} says {value!r}, its contents {found[name]!r}"
