"""The notice as shown: rendered by the templates that show it to visitors."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from consent.core.canonical import canonical_hash
from consent.core.decide import Decision
from consent.core.purposes import Purpose
from consent.core.record import Surface
from consent.notices import looks
from consent.notices.looks import Looks
from consent.notices.words import CENTRES, Asked, Document, words
from consent.publication import Published


class Named(NamedTuple):
    """A notice with the hash that records point at."""

    hash: str
    document: Document


def notice_for(here: Published, asked: Asked) -> Named:
    """The notice of a site: made once for each thing that it depends on."""
    return _made(_Key(here), asked, looks.looks())


class _Key:
    """A published policy, remembered by the hash that names it."""

    __slots__ = ("here",)

    def __init__(self, here: Published) -> None:
        self.here = here

    def _name(self) -> tuple[str, str]:
        return self.here.policy.hash, self.here.site.name

    def __hash__(self) -> int:
        return hash(self._name())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other._name() == self._name()


@lru_cache(maxsize=2048)
def _made(key: _Key, asked: Asked, dressed: Looks) -> Named:
    with translation.override(asked.language):
        document = words(key.here, asked)
        html = render_to_string("consent/notice/record.html", _neutral(document))
    document |= {
        "html": html.strip(),
        "styles": list(dressed.styles),
        "scripts": list(dressed.scripts),
        "files": looks.files(html=html, dressed=dressed),
    }
    return Named(canonical_hash(document), document)


def forget() -> None:
    """Make every notice anew at the next question."""
    _made.cache_clear()


def _neutral(notice: Document) -> Document:
    """What the templates need for somebody who has answered nothing.

    There is no token and no address to go back to, so that the forms have neither
    hidden fields nor an address of their own.
    """
    context = {"notice": notice, "preferences": reverse("consent:cookie-preferences")}
    if notice["surface"] in CENTRES:
        return {**context, "purposes": [_unanswered(notice, p) for p in _each(notice)]}
    if notice["surface"] == Surface.OPT_OUT:
        return {**context, "opted_out": Purpose.MARKETING not in notice["running"]}
    return context


def _each(notice: Document) -> list[Document]:
    return notice["purposes"]  # type: ignore[no-any-return]


def _unanswered(notice: Document, purpose: Document) -> Document:
    name = purpose["purpose"]
    return row(
        purpose,
        answer=None,
        running=name in notice["running"],
        alone=dict.fromkeys(notice["exempt"], True),
        held_back=name == Purpose.MARKETING and bool(notice["signal"]),
    )


def answered(notice: Document, decision: Decision) -> list[Document]:
    """The purposes of a notice with the answers to them: True, False, None for none."""
    choice = decision.choice
    answers = choice.answers if choice else {}
    alone = choice.services if choice else {}
    return [
        row(
            purpose,
            answer=answers[name].granted if name in answers else None,
            running=decision.purposes.get(name, False),
            alone=decision.services,
            held_back=name == Purpose.MARKETING and bool(decision.applied),
            answers={service: said.granted for service, said in alone.items()},
        )
        for purpose in notice["purposes"]
        if (name := Purpose(purpose["purpose"]))
    ]


def row(
    purpose: Document,
    *,
    answer: bool | None,
    running: bool,
    alone: Mapping[str, bool],
    held_back: bool,
    answers: Mapping[str, bool] | None = None,
) -> Document:
    """A purpose of a notice as the preference centre prints it.

    `answer` is None where there is none, and `answers` are those to services that were
    answered alone. `alone` names the services that do not follow their purpose, and
    whether they run; `held_back` says that a signal turned it off.
    """
    said = answers or {}
    services = [
        {
            **service,
            "running": alone.get(service["service"], running),
            "answer": said.get(service["service"], answer),
        }
        for service in purpose["services"]
    ]
    return {
        **purpose,
        "services": services,
        "answer": answer,
        "running": running,
        "held_back": held_back,
    }
