"""Which notice stands on which surface, for a decision.

What a live page shows and what a record points at are asked for by the same functions,
so that they are the same document.
"""

from datetime import UTC, datetime

from consent.core.decide import Decision, decide
from consent.core.purposes import Purpose
from consent.core.record import Surface
from consent.core.scales import Model
from consent.core.signals import Signals
from consent.notices.shown import Named, notice_for
from consent.notices.words import Asked, Kind
from consent.publication import Published


def banner_notice(
    here: Published,
    decision: Decision,
    *,
    language: str,
    whole: bool,
    kind: Kind = Kind.ASK,
) -> Named:
    """The banner's notice; answers are only given to the kind that asks.

    `whole` says that it is about everything on offer, and not only about what is due
    again.
    """
    asked = Asked(
        surface=Surface.BANNER,
        kind=kind,
        language=language,
        purposes=decision.offered if whole else decision.asked,
        signal=bool(decision.applied),
    )
    return notice_for(here, asked)


def centre_notice(
    here: Published, decision: Decision, *, language: str, surface: Surface
) -> Named:
    """The notice of the preference centre, or of the settings page."""
    unasked = _unasked(here, decision)
    asked = Asked(
        surface=surface,
        # Where cookies run without a yes, the page must not speak of a wish.
        kind=Kind.ASK if decision.model is Model.OPT_IN else Kind.TELL,
        language=language,
        purposes=decision.offered,
        signal=bool(decision.applied),
        running=_running(unasked),
        exempt=tuple(name for name, runs in unasked.services.items() if runs),
    )
    return notice_for(here, asked)


def opt_out_notice(here: Published, decision: Decision, *, language: str) -> Named:
    """The notice of the page that takes an opt-out of sale and sharing."""
    marketing = (Purpose.MARKETING,)
    asked = Asked(
        surface=Surface.OPT_OUT,
        kind=Kind.TELL,
        language=language,
        purposes=tuple(p for p in decision.offered if p in marketing),
        signal=bool(decision.applied),
        running=tuple(p for p in _running(_unasked(here, decision)) if p in marketing),
    )
    return notice_for(here, asked)


# Without a choice nothing depends on the time.
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


def _unasked(here: Published, decision: Decision) -> Decision:
    """What is decided, by the same rule, for somebody who has answered nothing."""
    return decide(
        policy=here.policy,
        rule=decision.rule,
        choice=None,
        signals=Signals(gpc=bool(decision.applied)),
        now=_ANY_TIME,
    )


def _running(unasked: Decision) -> tuple[Purpose, ...]:
    return tuple(p for p in unasked.offered if unasked.purposes[p])
