"""What a browser asks for on its own, without its person answering anything."""

from dataclasses import dataclass
from enum import IntFlag
from typing import Final


class Signal(IntFlag):
    """The signals that a browser may send on its own."""

    GPC = 1
    DNT = 2


NO_SIGNAL: Final = Signal(0)


@dataclass(frozen=True, slots=True)
class Signals:
    """What the browser asks for on its own: `Sec-GPC: 1` and `DNT: 1`."""

    gpc: bool = False
    dnt: bool = False
