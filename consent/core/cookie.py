"""The readable part of the `consent` cookie: a choice as compact JSON and back.

No identifier is in it, and times are whole hours, so that two refusals of the same
policy in the same hour are byte for byte the same. Decoding is strict: what does not
encode to the same text again is not believed.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final

from consent.core.preferences import Answer, Choice
from consent.core.purposes import OPTIONAL, Purpose
from consent.core.scales import Model
from consent.core.signals import Signal

FORMAT: Final = 1
_HOUR: Final = timedelta(hours=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def encode(choice: Choice) -> str:
    """A choice as compact JSON text with sorted keys.

    Answers that were given together stand together: `p` policy version, `h` hour given,
    `e` hour of expiry, `m` model of the place, `o` over which signals, `y` granted and
    `n` refused purposes, `s` services answered alone.
    """
    answers = [(a, str(p), None) for p, a in choice.answers.items()]
    alone = [(a, None, name) for name, a in choice.services.items()]
    everything = sorted([*answers, *alone], key=lambda item: (_key(item[0]), str(item)))
    groups = [
        _group(key, [(a.granted, purpose, name) for a, purpose, name in items])
        for key, items in groupby(everything, key=lambda item: _key(item[0]))
    ]
    body: dict[str, Any] = {"f": FORMAT, "a": groups}
    if choice.left:
        body["l"] = 1
    if choice.region:
        body["d"] = choice.region
    if choice.rule:
        body["r"] = choice.rule
    return json.dumps(body, sort_keys=True, separators=(",", ":"))


def decode(text: str) -> Choice:
    """The choice in a text that `encode` made; ValueError for any other text."""
    try:
        choice = _choice(json.loads(text))
        again = encode(choice)
    except (
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise ValueError("not a choice") from error
    if again != text:
        raise ValueError("not the text that this choice is written as")
    return choice


type _Key = tuple[int, int, int, int, int]


def _key(answer: Answer) -> _Key:
    ends = -1 if answer.expires is None else _hours(answer.expires)
    over = int(answer.over_signal)
    return answer.policy, _hours(answer.at), ends, int(answer.model), over


def _hours(time: datetime) -> int:
    return (time - _EPOCH) // _HOUR


def _group(
    key: _Key, items: list[tuple[bool, str | None, str | None]]
) -> dict[str, Any]:
    policy, at, ends, model, over = key
    group: dict[str, Any] = {"p": policy, "h": at, "m": model}
    if ends >= 0:
        group["e"] = ends
    if over:
        group["o"] = over
    for letter, granted in (("y", True), ("n", False)):
        named = sorted(p for on, p, _ in items if p is not None and on is granted)
        if named:
            group[letter] = named
    services = {name: int(on) for on, _, name in items if name is not None}
    if services:
        group["s"] = services
    return group


def _choice(body: Mapping[str, Any]) -> Choice:
    if body["f"] != FORMAT:
        raise ValueError("another format")
    answers: dict[Purpose, Answer] = {}
    services: dict[str, Answer] = {}
    for group in body["a"]:
        for letter, granted in (("y", True), ("n", False)):
            for name in group.get(letter, ()):
                answers[_optional(name)] = _answer(group, granted=granted)
        for name, on in group.get("s", {}).items():
            services[name] = _answer(group, granted=on == 1)
    return Choice(
        answers=answers,
        services=services,
        left=body.get("l") == 1,
        region=body.get("d"),
        rule=body.get("r"),
    )


def _optional(name: str) -> Purpose:
    purpose = Purpose(name)
    if purpose not in OPTIONAL:
        raise ValueError("necessary is never answered")
    return purpose


def _answer(group: Mapping[str, Any], *, granted: bool) -> Answer:
    return Answer(
        granted=granted,
        at=_EPOCH + group["h"] * _HOUR,
        expires=_EPOCH + group["e"] * _HOUR if "e" in group else None,
        policy=group["p"],
        model=Model(group["m"]),
        over_signal=Signal(group.get("o", 0)),
    )
