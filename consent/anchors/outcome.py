"""What came of asking somebody outside about a checkpoint."""

from dataclasses import dataclass
from datetime import datetime


class AnchorError(Exception):
    """There is no good anchor; the text is a sentence about whoever was asked.

    `alarm` where somebody outside holds another history of the log than we do: then
    nothing was merely out of reach.
    """

    def __init__(self, sentence: str, *, alarm: bool = False) -> None:
        super().__init__(sentence)
        self.alarm = alarm


@dataclass(frozen=True, slots=True)
class Said:
    """A good answer: the token as it is kept, and the time that it tells."""

    token: bytes
    time: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one question ended: `time` is what was told, else `problem` says why not.

    `kind` and `name` are those of the anchor, `size` is the checkpoint's. Where nobody
    could be asked at all they are empty.
    """

    site: str
    kind: str = ""
    name: str = ""
    size: int = 0
    time: datetime | None = None
    problem: str = ""
    alarm: bool = False

    @property
    def sentence(self) -> str:
        """What happened, for a terminal or a log."""
        if self.time is None:
            about = f"{self.site}, {self.name}" if self.name else self.site
            return f"{about}: {self.problem}"
        at = f"{self.time:%Y-%m-%d %H:%M:%S} UTC"
        return f"{self.site}: {self.size} entries, {self.kind} by {self.name}, {at}."
