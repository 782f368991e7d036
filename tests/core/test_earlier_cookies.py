"""Cookies of other tools: what the tools write, and that nothing else says anything."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.core.imports import (
    LARGEST,
    Earlier,
    Tool,
    by_purpose,
    counted,
    declared,
    read,
)
from consent.core.jurisdictions import Regime, Rule, uniform
from consent.core.policy import Policy
from consent.core.purposes import OPTIONAL, Purpose
from consent.core.scales import Banner, Confidence, Model

VECTORS = json.loads(
    (Path(__file__).parent.parent / "vectors" / "earlier_cookies.json").read_text()
)["cookies"]
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
RULE = Rule(
    regimes=frozenset({Regime("FR", "EU_GDPR_EPD", "Loi 78-17 art. 82")}),
    confidence=Confidence.HIGH,
    models=uniform(Model.OPT_IN),
    banner=Banner.OPT_IN,
    grant_days=180,
    grant_limit=180,
    gap_days=180,
)
POLICY = Policy(version=2, hash="sha256:", grant_days=100)
ASKED = Policy(version=1, hash="sha256:")


def of(vector):
    return f"{vector['tool']} {vector['version']}: {vector['name']}"


@pytest.mark.parametrize("vector", VECTORS, ids=of)
def test_what_the_tools_write_is_read_as_it_was_meant(vector):
    found = read(Tool(vector["tool"]), vector["value"])
    expected = vector["expected"]
    assert sorted(found.granted) == expected["granted"]
    assert sorted(found.refused) == expected["refused"]
    assert sorted(found.unclear) == expected["unclear"]
    assert found.rest_refused is expected["rest_refused"]
    assert (found.first and found.first.isoformat()) == expected["first"]
    assert (found.last and found.last.isoformat()) == expected["last"]


@pytest.mark.parametrize("tool", Tool)
@given(
    text=st.text(max_size=200) | st.from_regex(r"[-\w=|%{}\[\]\":,.+]*", fullmatch=True)
)
def test_no_text_raises_anything_but_a_value_error(tool, text):
    with suppress(ValueError):
        read(tool, text)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda some: (
        st.lists(some, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["categories", "level", "services", "consentTimestamp", "consent_date"]
            )
            | st.text(max_size=5),
            some,
            max_size=4,
        )
    ),
)


@pytest.mark.parametrize("tool", Tool)
@given(body=JSON)
def test_no_json_raises_anything_but_a_value_error(tool, body):
    with suppress(ValueError):
        read(tool, json.dumps(body))


@pytest.mark.parametrize("vector", VECTORS, ids=of)
def test_a_cookie_that_was_cut_never_allows_more(vector):
    """It becomes unreadable, or says less; nobody signed it, so more cannot be told."""
    value, tool = vector["value"], Tool(vector["tool"])
    whole = read(tool, value)
    for end in range(len(value)):
        with suppress(ValueError):
            assert read(tool, value[:end]).granted <= whole.granted


@pytest.mark.parametrize(
    ("tool", "text"),
    [
        (Tool.KLARO, '{"ads": 1}'),
        (Tool.KLARO, '{"ads": "true"}'),
        (Tool.KLARO, '{"ads": false, "ads": true}'),
        (Tool.KLARO, "[true]"),
        (Tool.KLARO, "{" * 4000),
        (Tool.KLARO, "[" * LARGEST),
        (Tool.KLARO, "%7B%FF%7D"),
        (Tool.VANILLA_COOKIECONSENT, '{"categories": "all"}'),
        (Tool.VANILLA_COOKIECONSENT, "{}"),
        (Tool.VANILLA_COOKIECONSENT, '{"categories": ["a"], "consent_date": "soon"}'),
        (
            Tool.VANILLA_COOKIECONSENT,
            '{"categories": ["a"], "consent_date": "2026-11-29T03:29:43.001"}',
        ),
        (Tool.VANILLA_COOKIECONSENT, '{"categories": ["a"], "services": {"a": "b"}}'),
        (Tool.DJANGO_COOKIE_CONSENT, "ads=yes"),
        (Tool.DJANGO_COOKIE_CONSENT, "ads=-1|ads=2026-11-29T03:29:37+00:00"),
        (Tool.DJANGO_COOKIE_CONSENT, "ads"),
        (Tool.DJANGO_COOKIE_CONSENT, ""),
        (Tool.DJANGO_COOKIE_CONSENT, "a=-1|" * 1000),
    ],
)
def test_what_a_tool_never_writes_is_refused(tool, text):
    with pytest.raises(ValueError, match=r"."):
        read(tool, text)


def test_a_purpose_is_granted_only_where_every_name_was_allowed():
    names = {Purpose.ANALYTICS: ["a", "b"]}
    both, one = frozenset({"a", "b"}), frozenset({"a"})
    assert by_purpose(Earlier(granted=both), names=names) == {Purpose.ANALYTICS: True}
    assert by_purpose(Earlier(granted=one), names=names) == {}
    refused = Earlier(granted=one, refused=frozenset({"b"}))
    assert by_purpose(refused, names=names) == {Purpose.ANALYTICS: False}
    listed = Earlier(granted=one, rest_refused=True)
    assert by_purpose(listed, names=names) == {Purpose.ANALYTICS: False}


def test_a_category_that_may_have_been_accepted_in_part_is_no_yes_to_it():
    part = Earlier(
        granted=frozenset({"a/x"}), unclear=frozenset({"a"}), rest_refused=True
    )
    assert by_purpose(part, names={Purpose.ANALYTICS: ["a"]}) == {}
    assert by_purpose(part, names={Purpose.ANALYTICS: ["a/x"]})[Purpose.ANALYTICS]
    both = {Purpose.ANALYTICS: ["a/x", "a/y"]}
    assert by_purpose(part, names=both) == {Purpose.ANALYTICS: False}


def choice(said, *, first=None, last=None, same_as=ASKED, now=NOW):
    earlier = Earlier(granted=frozenset(), first=first, last=last)
    return counted(
        said=said, earlier=earlier, policy=POLICY, same_as=same_as, rule=RULE, now=now
    ).answers


YES = {Purpose.ANALYTICS: True}


def test_a_grant_lives_as_long_as_one_of_ours_from_when_it_was_given():
    given_at = NOW - timedelta(days=60)
    answer = choice(YES, first=given_at)[Purpose.ANALYTICS]
    assert (answer.at, answer.expires) == (given_at, given_at + timedelta(days=100))
    assert answer.policy == 1
    assert choice(YES, first=NOW - timedelta(days=100)) == {}


@pytest.mark.parametrize(
    "without",
    [
        {"first": None},
        {"first": NOW + timedelta(hours=1)},
        {"first": NOW, "same_as": None},
        {"first": NOW, "same_as": Policy(version=1, hash="", purposes=())},
        {"first": NOW, "same_as": Policy(version=1, hash="", by_service=OPTIONAL)},
    ],
)
def test_a_grant_counts_only_with_its_time_and_for_what_was_asked(without):
    assert choice(YES, **without) == {}


def test_a_refusal_counts_always_and_without_a_time_from_today():
    no = {Purpose.MARKETING: False}
    old = choice(no, last=NOW - timedelta(days=4000), same_as=None)
    assert old[Purpose.MARKETING].at == NOW - timedelta(days=4000)
    for last in (None, NOW + timedelta(days=1)):
        answer = choice(no, last=last)[Purpose.MARKETING]
        assert (answer.granted, answer.at, answer.expires) == (False, NOW, None)


GIVEN = st.timedeltas(timedelta(days=-400), timedelta(days=2)).map(lambda t: NOW + t)


@given(
    said=st.dictionaries(st.sampled_from(OPTIONAL), st.booleans()),
    first=st.none() | GIVEN,
    same_as=st.sampled_from([None, ASKED]),
)
def test_no_grant_outlives_what_it_would_have_had_here(said, first, same_as):
    for purpose, answer in choice(said, first=first, same_as=same_as).items():
        assert answer.granted is said[purpose]
        if answer.granted:
            assert answer.expires == answer.at + timedelta(days=100)
            assert answer.expires > NOW
            assert answer.at <= NOW
            assert first is not None
            assert same_as is not None


GOOD = {"tool": "klaro", "purposes": {"analytics": ["matomo"], "marketing": "ads"}}


def test_a_declaration_has_the_tools_own_cookie_name_unless_it_says_another():
    assert declared(GOOD).cookie == "klaro"
    assert declared({**GOOD, "cookie": "kl"}).cookie == "kl"
    assert declared(GOOD).names[Purpose.MARKETING] == ("ads",)
    assert declared(declared(GOOD).document()) == declared(GOOD)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"tool": "cookiebot"}, "tool is one of"),
        ({"tool": None}, "tool is one of"),
        ({"purposes": {}}, "purposes names"),
        ({"purposes": {"necessary": ["a"]}}, "is none of"),
        ({"purposes": {"analytics": []}}, "no list of names"),
        ({"purposes": {"analytics": [1]}}, "no list of names"),
        ({"same_as": "1"}, "same_as"),
        ({"same_as": True}, "same_as"),
        ({"same_as": 0}, "same_as"),
        ({"site": 1}, "site"),
        ({"cookie": " "}, "cookie"),
        ({"grant": True}, "'grant' is none of"),
    ],
)
def test_a_declaration_that_cannot_be_understood_is_told_in_a_sentence(
    change, sentence
):
    with pytest.raises(ValueError, match=sentence):
        declared({**GOOD, **change})


@pytest.mark.parametrize("entry", ["klaro", None, 1, ["klaro"]])
def test_a_declaration_is_an_object(entry):
    with pytest.raises(ValueError, match="an object"):
        declared(entry)
