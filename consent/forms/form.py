"""The forms of the banner and of the preference pages."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from consent.choices import Answers
from consent.core.canonical import is_hash
from consent.core.policy import Policy
from consent.core.purposes import Purpose
from consent.core.record import Surface
from consent.core.scales import Banner
from consent.decision import Consent
from consent.forms.sent import (
    PolicyChangedError,
    Sent,
    UnreadableError,
    checked,
)
from consent.forms.shown import shown

_YES_OR_NO: Final = ("yes", "no")
# Where services are asked one by one: `all` takes in each of them, and `some`, like no
# word about the purpose, leaves it to what is said about each.
_ALL_OR_SOME: Final = ("yes", "no", "all", "some")


def read_form(data: Mapping[str, str], consent: Consent) -> Sent:
    """A choice from a form: one button for all, or an answer per purpose.

    `answer` is `accept`, `reject`, `save` or `allow`. With `save`, `purpose-<name>` and
    `service-<name>` are `yes` or `no`, and what is missing is refused; with `allow`
    only the purposes that say `yes` are answered. The banner's buttons answer what the
    banner asks now, the preference centre's everything on offer.

    Where the policy asks about a purpose service by service, `purpose-<name>` may be
    `all` or `some` too. A yes to one of its services is a yes to the purpose, unless
    the purpose itself was refused: then all of it is.
    """
    answer = data.get("answer", "")
    if answer not in {"accept", "reject", "save", "allow"}:
        raise UnreadableError("answer is accept, reject, save or allow.", status=400)
    policy = _answered_policy(data.get("policy_version", ""), consent)
    language = data.get("language", "")
    if language not in consent.published.languages:
        language = consent.language
    offered = [p for p in consent.decision.offered if p in policy.purposes]
    centre = data.get("surface") == "preferences"
    if answer in {"save", "allow"}:
        answers = _each(data, offered, policy, consent, whole=answer == "save")
        surface = Surface.PREFERENCES if centre else Surface.BANNER
        return Sent(answers, surface, language)
    if centre:
        purposes = dict.fromkeys(offered, answer == "accept")
        answers = checked(purposes, {}, policy, consent, own=False)
        return Sent(answers, Surface.PREFERENCES, language)
    return _of_banner(data, policy, consent, language)


def _of_banner(
    data: Mapping[str, str], policy: Policy, consent: Consent, language: str
) -> Sent:
    """One of the banner's two buttons, about what that banner asked and nothing else.

    The form names its banner; one that does not is about what is due now. A yes to what
    nobody asks is none: it may be an old page, sent once more.
    """
    yes = data.get("answer") == "accept"
    offered = [p for p in consent.decision.offered if p in policy.purposes]
    digest, on_screen, asked = data.get("notice", ""), None, _due(consent, policy)
    if is_hash(digest):
        on_screen = shown(consent, policy, digest, language=language, grants=yes)
        asked = on_screen.asked
    elif yes and consent.decision.banner is not Banner.OPT_IN:
        raise PolicyChangedError
    purposes = {p: yes for p in offered if not asked or p in asked}
    whole = set(purposes) >= set(offered)
    answers = checked(purposes, {}, policy, consent, own=False, whole=whole)
    return Sent(answers, Surface.BANNER, language, on_screen)


def _due(consent: Consent, policy: Policy) -> tuple[Purpose, ...]:
    """What the banner asks now; nothing where the form answers an older version."""
    current = policy.version == consent.published.policy.version
    return consent.decision.asked if current else ()


def _each(
    data: Mapping[str, str],
    offered: Sequence[Purpose],
    policy: Policy,
    consent: Consent,
    *,
    whole: bool,
) -> Answers:
    """An answer of its own to each purpose; where not `whole`, only the yeses."""
    purposes: dict[Purpose, bool] = {}
    services: dict[str, bool] = {}
    for purpose in offered:
        one_by_one = purpose in policy.by_service
        words = _ALL_OR_SOME if one_by_one else _YES_OR_NO
        said = _said(data, f"purpose-{purpose}", words)
        if not whole and said in {"", "no"}:
            continue
        slugs = [s.slug for s in policy.services if s.purpose is purpose]
        about = {name: _said(data, f"service-{name}", _YES_OR_NO) for name in slugs}
        alone = _one_by_one(said, about) if one_by_one else _named(about)
        some = one_by_one and any(alone.values())
        purposes[purpose] = said in {"yes", "all"} or some
        services |= alone
    return checked(purposes, services, policy, consent, own=True, whole=whole)


def _named(about: Mapping[str, str]) -> dict[str, bool]:
    """The services that were answered; the others follow their purpose."""
    return {name: word == "yes" for name, word in about.items() if word}


def _one_by_one(said: str, about: Mapping[str, str]) -> dict[str, bool]:
    """What an answer to a purpose says about each of its services."""
    if said == "no":
        return {}
    if said == "all":
        return dict.fromkeys(about, True)
    if said == "yes":
        return _named(about)
    return {name: word == "yes" for name, word in about.items()}


def _answered_policy(text: str, consent: Consent) -> Policy:
    """The version that a form answers; a form without one answers the current."""
    current = consent.published.policy.version
    number = int(text) if re.fullmatch("[0-9]{1,9}", text) else None
    found = consent.published.version(number if text else current)
    if found is None:
        raise UnreadableError("That policy version was never published.", status=400)
    return found


def _said(data: Mapping[str, str], name: str, words: Collection[str]) -> str:
    """One word of a closed list; empty where nothing was said."""
    word = data.get(name, "")
    if name in data and word not in words:
        raise UnreadableError(f"{name} is none of: {', '.join(words)}.", status=400)
    return word
