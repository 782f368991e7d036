"""Links that were not met where the entries were read: each must belong to its record.

An entry's link is looked for where the entry's record says that there is one. A link
that somebody put to a record of nobody may stand anywhere; but then there are more
links than were met.
"""

from collections.abc import Sequence
from typing import Final

from consent.audit.verifying import reading
from consent.audit.verifying.contents import WRONG_LINK, Reading, fits
from consent.audit.verifying.extent import Extent
from consent.audit.verifying.findings import Finding
from consent.audit.verifying.members import NoRecordError, members
from consent.audit.verifying.strays import Numbers

# Of entries that were sealed, or given, since the run began.
_LATER: Final = (
    "(SELECT COUNT(*) FROM consent_leaf l JOIN consent_link k "
    "ON k.site_id = l.site_id AND k.entry_id = l.entry_id "
    "WHERE l.site_id = %s AND ({}))"
)
_WAITING: Final = (
    "(SELECT COUNT(*) FROM consent_waiting l JOIN consent_link k "
    "ON k.site_id = l.site_id AND k.entry_id = l.entry_id WHERE l.site_id = %s)"
)


def are_too_many(whose: Reading, logs: Sequence[Extent], *, met: int) -> bool:
    """Whether there are links of entries in these logs beyond those that were met.

    In one statement, so that the numbers are those of one moment.
    """
    last = max((extent.log.number for extent in logs), default=0)
    later, values = ["l.log > %s"], [last]
    for extent in logs:
        later.append('(l.log = %s AND l."index" >= %s)')
        values += [extent.log.number, extent.size]
    [(there, sealed, waiting)] = reading.fetched(
        "SELECT (SELECT COUNT(*) FROM consent_link WHERE site_id = %s), "  # noqa: S608 - ours
        f"{_LATER.format(' OR '.join(later))}, {_WAITING}",
        (whose.site, whose.site, *values, whose.site),
    )
    return int(there) - int(sealed) - int(waiting) > met


def check_links(part: Numbers) -> list[Finding]:
    """Check every link against its entry's record."""
    rows = reading.fetched(
        f"""
        SELECT {reading.hexed("k.entry_id")}, k.salt, k.visitor,
            {reading.utc("k.time")}, {reading.utc("e.time")}, c.canonical,
            l.log, l."index"
        FROM consent_link k
        LEFT JOIN consent_entry e ON e.site_id = k.site_id AND e.id = k.entry_id
        LEFT JOIN consent_content c
            ON c.site_id = k.site_id AND c.entry_id = k.entry_id
        LEFT JOIN consent_leaf l ON l.site_id = k.site_id AND l.entry_id = k.entry_id
        WHERE k.site_id = %s AND k.entry_id > %s AND k.entry_id <= %s
        """,  # noqa: S608 - all of it is ours
        part.values,
    )
    return [found for row in rows if (found := _finding(row, part)) is not None]


def _finding(row: reading.Row, part: Numbers) -> Finding | None:
    number, _, _, _, at, text, log, index = row
    if at is None:
        return Finding("its link has no entry", receipt=number)
    if text is None:
        return None  # its removal tells of it
    try:
        said = members(text, site=part.whose.slug).get("visitor")
    except NoRecordError:
        return None  # its contents were told of
    if fits(row[:4], at, said):
        return None
    return Finding(WRONG_LINK, log, index, number)
