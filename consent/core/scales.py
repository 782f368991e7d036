"""The closed scales on which rules are compared, each from lenient to strict.

Joining two rules is a maximum on each scale, so that the order of the members is the
law of the file.
"""

from enum import IntEnum, StrEnum


class _Ranked(IntEnum):
    """A closed scale from lenient to strict that reads as its lower-case name."""

    @property
    def label(self) -> str:
        return self.name.lower()


class Model(_Ranked):
    """What the law wants before optional storage: nothing, a notice, an exit, a yes."""

    NONE = 0
    NOTICE = 1
    OPT_OUT = 2
    OPT_IN = 3


class Banner(_Ranked):
    """Whether the visitor is left alone, told, or asked."""

    NONE = 0
    NOTICE = 1
    OPT_IN = 2


class Parity(_Ranked):
    """How firmly an authority wants refusing to be as easy as accepting."""

    UNSPECIFIED = 0
    RECOMMENDED = 1
    REQUIRED = 2


class OptOutLink(_Ranked):
    """What opt-out link a rule wants: a method, a plain link, the statutory label."""

    NONE = 0
    METHOD = 1
    LINK = 2
    LABEL = 3


class Confidence(_Ranked):
    """How sure the research behind a rule is; low is the careful end."""

    HIGH = 0
    MEDIUM = 1
    LOW = 2


class Exemption(StrEnum):
    """A kind of service that some laws let run before a choice, under conditions."""

    OWN_STATISTICS = "own_statistics"
    APPEARANCE = "appearance"
