"""Asking everybody outside about a site's newest checkpoint, now and then."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.conf import settings
from django.db import Error as AnyDatabaseError

from consent import ledger
from consent.anchors import outsiders
from consent.anchors.cosignatures import cosign
from consent.anchors.outcome import AnchorError, Outcome, Said
from consent.anchors.outsiders import OutsiderSettingError
from consent.anchors.timestamps import stamp
from consent.models import Anchor, Checkpoint, Site

# A clock that is further ahead than this is nobody's word for a time.
_AHEAD: Final = timedelta(hours=1)
log = logging.getLogger(__name__)

# When this process last asked about each site, whatever came of it.
_asked: dict[int, datetime] = {}


@dataclass(frozen=True, slots=True)
class _Question:
    """What to ask one of them, and what the answer will be an anchor of."""

    checkpoint: Checkpoint
    kind: str
    name: str
    ask: Callable[[Checkpoint], Said]


def due(site: Site, at: datetime) -> bool:
    """Whether somebody is to be asked about a site now.

    True where its newest checkpoint lacks an anchor and nobody, here or in another
    process, got one for the site in the last `CONSENT_ANCHOR_SECONDS`; a failure of
    this process counts too. Cheap enough for every sweep; DatabaseError passes through.
    """
    pause = timedelta(seconds=settings.CONSENT_ANCHOR_SECONDS)
    last = _asked.get(site.pk)
    if not pause or not outsiders.anybody_asked() or (last and at - last < pause):
        return False
    head = _head(site)
    if head is None or not _lacking(head):
        return False
    anchors = Anchor.objects.filter(site=site, log=head.log, time__gt=at - pause)
    newest = anchors.order_by("-time").values_list("time", flat=True).first()
    if newest is not None:
        _asked[site.pk] = min(newest, at)
    return newest is None


def anchor(site: Site, at: datetime) -> list[Outcome]:
    """Ask whoever has not yet vouched for a site's newest checkpoint; keep the answers.

    Call it outside of any transaction. Never raises for what others or the database
    do: a failure is logged and told of in its outcome, and an alarm is logged as an
    error. Empty where nobody is left to ask.
    """
    _asked[site.pk] = at
    try:
        head = _head(site)
        questions = list(_open_questions(head)) if head else []
    except (AnyDatabaseError, OutsiderSettingError) as error:
        return [_told(Outcome(site=site.slug, problem=str(error)))]
    return [_told(_outcome(question, at)) for question in questions]


def _head(site: Site) -> Checkpoint | None:
    """The newest checkpoint of the log that is sealed into."""
    current = ledger.latest_log(site)
    if current is None:
        return None
    found = ledger.newest_checkpoint(site=site, log=current.number)
    if found is not None:
        found.site = site
    return found


def _lacking(head: Checkpoint) -> bool:
    """Whether somebody has to be asked, or to be told that the settings are wrong."""
    try:
        return any(True for _ in _open_questions(head))
    except OutsiderSettingError:
        return True


def _open_questions(head: Checkpoint) -> Iterator[_Question]:
    """Everybody in the settings who has said nothing about this checkpoint."""
    said = Anchor.objects.filter(
        site=head.site_id, log=head.log, tree_size=head.tree_size
    )
    answered = set(said.values_list("kind", "name"))
    for question in _questions(head):
        if (question.kind, question.name) not in answered:
            yield question


def _questions(head: Checkpoint) -> Iterator[_Question]:
    """What to ask everybody in the settings who is not retired."""
    asked = outsiders.authority()
    if asked is not None:
        ask = partial(stamp, asked)
        yield _Question(head, Anchor.Kind.TIMESTAMP, asked.name, ask)
    for witness in outsiders.witnesses():
        if witness.url:
            ask = partial(cosign, witness)
            yield _Question(head, Anchor.Kind.COSIGNATURE, witness.name, ask)


def _outcome(question: _Question, at: datetime) -> Outcome:
    """Ask, and keep what was said."""
    head = question.checkpoint
    outcome = partial(
        Outcome,
        site=head.site.slug,
        kind=question.kind,
        name=question.name,
        size=head.tree_size,
    )
    try:
        said = question.ask(head)
        _require_of_its_time(said, question.checkpoint, at)
        _keep(question, said)
    except AnchorError as error:
        return outcome(problem=str(error), alarm=error.alarm)
    except ledger.BrokenTreeError as error:
        return outcome(problem=f"The log is broken: {error}.", alarm=True)
    except AnyDatabaseError as error:
        return outcome(problem=f"The database failed: {error}")
    return outcome(time=said.time)


def _require_of_its_time(said: Said, head: Checkpoint, at: datetime) -> None:
    """Nobody saw a checkpoint before it was signed, nor after now."""
    if said.time > at + _AHEAD:
        raise AnchorError(f"It tells {said.time}, and here it is {at}: set the clocks.")
    if said.time < head.time - _AHEAD:
        raise AnchorError(f"It tells {said.time}, before {head.time}: set the clocks.")


def _keep(question: _Question, said: Said) -> None:
    """Keep an answer; where another process was quicker, its answer stays."""
    head = question.checkpoint
    Anchor.objects.get_or_create(
        site=head.site,
        log=head.log,
        tree_size=head.tree_size,
        kind=question.kind,
        name=question.name,
        defaults={"token": said.token, "time": said.time},
    )


def _told(outcome: Outcome) -> Outcome:
    level = logging.INFO if outcome.time else logging.WARNING
    log.log(logging.ERROR if outcome.alarm else level, outcome.sentence)
    return outcome


def forget() -> None:
    """Forget whom this process asked, and when."""
    _asked.clear()
