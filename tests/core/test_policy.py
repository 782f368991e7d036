"""Reading a policy document, and what counts as a material change (rule 12)."""

import copy

import pytest

from consent.core.policy import from_document
from consent.core.purposes import Purpose

DOCUMENT = {
    "version": 1,
    "audience": "general",
    "purposes": {"analytics": {"title": {"en": "Counting"}}, "marketing": {}},
    "services": [
        {"slug": "counter", "purpose": "analytics", "provider": "Us", "name": "Counter"}
    ],
}


def later(**changes):
    """The next version, changed in place by a function or by members."""
    document = copy.deepcopy(DOCUMENT)
    document["version"] = 2
    for name, value in changes.items():
        document[name] = value
    return document


def changed(new):
    return from_document(new, older=[DOCUMENT]).changed_since(1)


def test_only_the_purposes_of_the_document_are_offered():
    assert from_document(DOCUMENT).purposes == (Purpose.ANALYTICS, Purpose.MARKETING)


def test_wording_is_not_material():
    words = {"analytics": {"title": {"en": "Statistics"}}, "marketing": {}}
    assert changed(later(purposes=words)) == frozenset()


def test_another_provider_is_material():
    services = [{**DOCUMENT["services"][0], "provider": "Somebody else"}]
    assert changed(later(services=services)) == {Purpose.ANALYTICS}


def test_a_new_service_is_material_for_its_purpose_alone():
    new = {"slug": "ads", "purpose": "marketing", "provider": "Ads Inc.", "name": "Ads"}
    services = [*DOCUMENT["services"], new]
    assert changed(later(services=services)) == {Purpose.MARKETING}


def test_fewer_services_are_not_material():
    assert changed(later(services=[])) == frozenset()


def test_a_new_purpose_is_material():
    purposes = {**DOCUMENT["purposes"], "functional": {}}
    assert changed(later(purposes=purposes)) == {Purpose.FUNCTIONAL}


def test_an_editor_may_say_that_a_use_became_another():
    purposes = {"analytics": {"material": 2}, "marketing": {}}
    assert changed(later(purposes=purposes)) == {Purpose.ANALYTICS}


def test_the_order_of_services_does_not_matter():
    one = {"slug": "a", "purpose": "analytics", "provider": "A", "name": "A"}
    two = {"slug": "b", "purpose": "analytics", "provider": "B", "name": "B"}
    old = {**DOCUMENT, "services": [one, two]}
    new = from_document(later(services=[two, one]), older=[old])
    assert new.changed_since(1) == frozenset()


def test_a_version_that_nobody_knows_has_changed_in_everything():
    policy = from_document(DOCUMENT)
    assert policy.changed_since(7) == frozenset(policy.purposes)


@pytest.mark.parametrize(
    "wrong", [{"audience": "robots"}, {"rules": {"minimum_model": "some"}}]
)
def test_a_document_that_says_something_unknown_is_refused(wrong):
    with pytest.raises((KeyError, ValueError)):
        from_document({**DOCUMENT, **wrong})
