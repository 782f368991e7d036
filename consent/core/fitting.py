"""A choice that fits into a cookie, by becoming stricter and never laxer."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from consent.core.preferences import Choice
from consent.core.purposes import OPTIONAL, Purpose

type Size = Callable[[Choice], int]


def fitted(
    choice: Choice, *, of_service: Mapping[str, Purpose], largest: int, size: Size
) -> Choice:
    """The choice, or a stricter one that takes up no more than `largest`.

    First goes what says nothing: answers to services that were never published, that
    are allowed, or whose purpose is refused as a whole. Where services refused alone
    still do not fit, a whole purpose is refused in their stead, the one with the most
    of them first. `of_service` names the purpose of every service ever published.
    """
    if size(choice) <= largest:
        return choice
    choice = _without_empty_words(choice, of_service)
    for purpose in _fullest_first(choice, of_service):
        if size(choice) <= largest:
            return choice
        choice = _refusing(choice, purpose, of_service)
    return choice


def _without_empty_words(choice: Choice, of_service: Mapping[str, Purpose]) -> Choice:
    """Only refused services of a purpose that is not refused as a whole."""
    refused = {p for p, answer in choice.answers.items() if not answer.granted}
    services = {
        name: answer
        for name, answer in choice.services.items()
        if name in of_service and not answer.granted and of_service[name] not in refused
    }
    return replace(choice, services=services)


def _fullest_first(choice: Choice, of_service: Mapping[str, Purpose]) -> list[Purpose]:
    purposes = [of_service[name] for name in choice.services]
    return sorted(set(purposes), key=lambda p: (-purposes.count(p), OPTIONAL.index(p)))


def _refusing(
    choice: Choice, purpose: Purpose, of_service: Mapping[str, Purpose]
) -> Choice:
    """The choice with a whole purpose refused, as its newest refused service was."""
    alone = [a for name, a in choice.services.items() if of_service[name] is purpose]
    newest = max(alone, key=lambda answer: answer.at)
    kept = {n: a for n, a in choice.services.items() if of_service[n] is not purpose}
    return replace(choice, answers={**choice.answers, purpose: newest}, services=kept)
