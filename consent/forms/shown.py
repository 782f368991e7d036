"""The banner that was on the screen, by the hash that the sender names."""

from typing import NamedTuple, TypedDict

from consent import notices
from consent.core.policy import Policy
from consent.core.purposes import Purpose
from consent.decision import Consent
from consent.forms.sent import PolicyChangedError, Sent


class Shown(NamedTuple):
    """A banner that was shown; `notice` is None where nobody knows it any more."""

    notice: notices.Named | None

    @property
    def asked(self) -> tuple[Purpose, ...]:
        """What it asked about; nothing where that is not known."""
        about = self.notice.document["purposes"] if self.notice else ()
        return tuple(Purpose(one["purpose"]) for one in about)


def shown(
    consent: Consent, policy: Policy, digest: str, *, language: str, grants: bool
) -> Shown:
    """The banner that a hash names; PolicyChangedError for a grant to an unknown one.

    A banner that nobody had answered is known only while this process would show it: a
    refusal of one that was shown before a publication counts all the same.
    """
    found = notices.banner_known(
        consent.published,
        consent.decision,
        policy=policy,
        digest=digest,
        language=language,
    )
    if found is None and grants:
        raise PolicyChangedError
    return Shown(found)


class OnScreen(TypedDict):
    """What recording a choice needs to know of it."""

    notice: notices.Named | None
    known: bool


def on_screen(sent: Sent) -> OnScreen:
    """The banner that a choice names, if it names one, and whether it is known."""
    if sent.shown is None:
        return {"notice": None, "known": True}
    return {"notice": sent.shown.notice, "known": sent.shown.notice is not None}
