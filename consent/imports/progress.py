"""What the log says of a file's import: begun, which lines are in, ended.

Nothing else remembers it. So a run that was stopped goes on behind the last lines that
were committed, and a file that is in is not imported again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from consent import acts
from consent.core.canonical import Json
from consent.models import Content, Site

BEGUN: Final = "import_begun"
IMPORTED: Final = "imported"
ENDED: Final = "import_ended"
# Of a file's acts, how many of the newest may have a clock's error between them.
_ENOUGH: Final = 100


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a file's newest run came: its number, its plan, the last line that is in.

    A file that nobody imported is at run 0.
    """

    run: int = 0
    plan: Mapping[str, Json] | None = None
    line: int = 0
    ended: bool = False


def progress(site: Site, digest: str) -> Progress:
    """How far the newest run of a file came on a site, by the log alone."""
    found = Progress()
    for act, detail in _told(site, digest):
        if act == BEGUN and detail["run"] > found.run:
            found = Progress(run=detail["run"], plan=detail["plan"])
    for act, detail in _told(site, digest):
        if detail["run"] != found.run:
            continue
        line = max(found.line, detail["lines"][1] if act == IMPORTED else 0)
        ended = found.ended or act == ENDED
        found = Progress(found.run, found.plan, line, ended)
    return found


def newest_line(site: Site, digest: str, run: int) -> int:
    """The last line that a run has committed; 0 for none."""
    newest = _acts(site, digest).filter(event=IMPORTED).order_by("-time")[:_ENOUGH]
    details = [
        json.loads(c)["detail"] for c in newest.values_list("canonical", flat=True)
    ]
    return max((d["lines"][1] for d in details if d["run"] == run), default=0)


def tell(
    site: Site, digest: str, act: str, detail: dict[str, Json], *, at: datetime
) -> None:
    """Write how far an import came, in the caller's transaction."""
    acts.note_key(site=site, at=at)
    acts.record(site=site, at=at, act=act, subject=digest, detail=detail)


def _told(site: Site, digest: str) -> list[tuple[str, dict[str, Any]]]:
    rows = _acts(site, digest).values_list("event", "canonical")
    return [(event, json.loads(canonical)["detail"]) for event, canonical in rows]


def _acts(site: Site, digest: str) -> Any:  # noqa: ANN401 - a QuerySet
    return Content.objects.filter(
        site=site,
        kind="act",
        event__in=(BEGUN, IMPORTED, ENDED),
        canonical__contains=f'"subject":"{digest}"',
    )
