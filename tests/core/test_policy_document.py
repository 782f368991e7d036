"""A policy document that would break pages, or run what it may not, is refused."""

import copy
from typing import Any

import pytest

from consent.core.policy import from_document
from consent.core.policy_document import EXEMPTED_PURPOSE, problems
from consent.core.purposes import Purpose
from consent.core.scales import Exemption

SERVICE = {
    "slug": "counter",
    "purpose": "analytics",
    "name": "Counter",
    "provider": "Us",
    "description": {"en": "Counts.", "pt-BR": "Conta."},
    "cookies": [{"name": "seen", "days": 30, "description": {}}],
}
DOCUMENT = {
    "purposes": {"analytics": {"title": {"en": "Counting"}, "material": 2}},
    "services": [SERVICE],
    "rules": {"minimum_model": "opt_in", "minimum_banner": "notice", "gap_days": 200},
}
ANSWERED = {"exemption": "own_statistics", "exemption_conditions": "Only for us."}


def with_service(**changes: Any) -> dict[str, Any]:
    """The document with its service changed; `...` takes a member away."""
    service = {**copy.deepcopy(SERVICE), **changes}
    kept = {name: value for name, value in service.items() if value is not ...}
    return {**DOCUMENT, "services": [kept]}


def with_cookie(**changes: Any) -> dict[str, Any]:
    cookie = {"name": "seen", "days": 30, "description": {}, **changes}
    return with_service(
        cookies=[{name: value for name, value in cookie.items() if value is not ...}]
    )


@pytest.mark.parametrize(
    "document",
    [
        DOCUMENT,
        {"purposes": {}, "services": []},
        with_service(cookies=[], description=...),
        with_cookie(days=None, description=...),
        with_service(exemption=None),
        with_service(**ANSWERED),
    ],
)
def test_a_sound_document_has_nothing_wrong_and_can_be_read(
    document: dict[str, Any],
) -> None:
    assert problems(document) == []
    assert from_document({**document, "version": 1, "audience": "general"})


@pytest.mark.parametrize("document", [None, [], 5, "text", True])
def test_a_document_is_an_object(document: object) -> None:
    assert problems(document) == ["The policy must be an object."]


WRONG_SERVICES = [
    ({"slug": ...}, "slug"),
    ({"slug": "Counter"}, "slug"),
    ({"slug": "x" * 41}, "slug"),
    ({"slug": 5}, "slug"),
    ({"name": ...}, "name"),
    ({"name": " "}, "name"),
    ({"name": {"en": "Counter"}}, "name"),
    ({"provider": ...}, "provider"),
    ({"provider": "Us\0"}, "provider"),
    ({"purpose": ...}, "purpose"),
    ({"purpose": "necessary"}, "purpose"),
    ({"purpose": "marketing"}, "purpose"),
    ({"purpose": ["analytics"]}, "purpose"),
    ({"description": "Counts."}, "description"),
    ({"description": None}, "description"),
    ({"description": {"en": 5}}, "description"),
    ({"description": {"en us": "Counts."}}, "description"),
    ({"cookies": ...}, "cookies"),
    ({"cookies": {}}, "cookies"),
    ({"cookies": ["seen"]}, "cookie 1 must be an object"),
]


@pytest.mark.parametrize(("changes", "told"), WRONG_SERVICES)
def test_a_service_says_all_that_pages_print(changes: dict, told: str) -> None:
    (sentence,) = problems(with_service(**changes))
    assert "service 1" in sentence
    assert told in sentence


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ...},
        {"name": 5},
        *({"days": days} for days in (..., 0, -1, 1.5, True, "30", [1], 10**9)),
        {"description": "x"},
        {"description": {"en": None}},
    ],
)
def test_a_cookie_says_its_name_and_life(changes: dict) -> None:
    (sentence,) = problems(with_cookie(**changes))
    assert "cookie 1" in sentence


def test_two_services_have_two_slugs() -> None:
    (sentence,) = problems({**DOCUMENT, "services": [SERVICE, SERVICE]})
    assert "service 2 (counter): another service has this slug." in sentence


@pytest.mark.parametrize(
    "purposes",
    [
        {"spying": {}},
        {"necessary": {}},
        {5: {}},
        {"marketing": None},
        {"marketing": {"title": "Ads"}},
        {"marketing": {"description": {"en": ["Ads"]}}},
        {"marketing": {"material": "2"}},
        {"marketing": {"material": True}},
    ],
)
def test_purposes_are_optional_ones_with_texts(purposes: dict) -> None:
    whole = {**DOCUMENT["purposes"], **purposes}
    (sentence,) = problems({**DOCUMENT, "purposes": whole})
    assert sentence.startswith("purposes: ")


@pytest.mark.parametrize(
    "rules",
    [
        {"minimum_modell": "opt_in"},
        {"minimum_model": "strict"},
        {"minimum_model": ["opt_in"]},
        {"minimum_banner": 2},
        {"minimum_banner": "opt_out"},
        *({name: d} for name in ("grant_days", "gap_days") for d in (0, 1.5, True)),
        *({name: d} for name in ("grant_days", "gap_days") for d in ("9", 10**6, None)),
    ],
)
def test_rules_are_from_a_closed_list(rules: dict) -> None:
    (sentence,) = problems({**DOCUMENT, "rules": rules})
    assert next(iter(rules)) in sentence


@pytest.mark.parametrize("member", ["purposes", "services", "rules"])
@pytest.mark.parametrize("value", [None, 5, "text"])
def test_members_have_their_type(member: str, value: object) -> None:
    assert any(
        told.startswith(member) for told in problems({**DOCUMENT, member: value})
    )


def test_every_thing_that_is_wrong_is_told_at_once() -> None:
    wrong = {**with_service(name="", slug="?", cookies=3), "rules": {"x": 1}}
    assert len(problems(wrong)) == 4


# --- exemptions (rule 3) ------------------------------------------------------------


@pytest.mark.parametrize("claim", Exemption)
@pytest.mark.parametrize("purpose", ["functional", "analytics", "marketing"])
def test_an_exemption_is_for_its_kind_of_service_alone(
    claim: Exemption, purpose: str
) -> None:
    document = {
        **with_service(**ANSWERED | {"exemption": str(claim)}, purpose=purpose),
        "purposes": {"functional": {}, "analytics": {}, "marketing": {}},
    }
    refused = EXEMPTED_PURPOSE[claim] != purpose
    assert bool(problems(document)) is refused


def test_no_exemption_covers_marketing() -> None:
    assert set(EXEMPTED_PURPOSE) == set(Exemption)
    assert Purpose.MARKETING not in EXEMPTED_PURPOSE.values()


@pytest.mark.parametrize("answer", [..., None, "", "  ", True, {"en": "Only for us."}])
def test_an_exemption_needs_the_editors_answer_to_its_conditions(
    answer: object,
) -> None:
    (sentence,) = problems(with_service(**ANSWERED | {"exemption_conditions": answer}))
    assert "exemption_conditions" in sentence


@pytest.mark.parametrize("claim", ["", "because", True, ["own_statistics"]])
def test_an_exemption_that_no_law_knows_is_refused(claim: object) -> None:
    (sentence,) = problems(with_service(**ANSWERED | {"exemption": claim}))
    assert "exemption must be one of" in sentence


def test_a_purpose_that_is_asked_by_service_has_one():
    document = {
        "purposes": {"marketing": {"ask": "service"}, "analytics": {"ask": "purpose"}},
        "services": [],
    }
    sentence = "purposes: marketing: it is asked by service, and has no service."
    assert problems(document) == [sentence]
