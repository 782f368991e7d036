"""Adding up and merging answers: rules 5, 7 and 8."""

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from consent.core.preferences import (
    Choice,
    add,
    differs,
    merge,
    refusals_kept,
)
from consent.core.purposes import OPTIONAL, Purpose
from tests.core.made import CHOICES, DAY, NOW, choice, everything


def said(chosen):
    return {str(p): a.granted for p, a in chosen.answers.items()}


def test_the_newest_answer_to_each_purpose_counts():
    older = choice(functional=True, analytics=True, at=NOW - DAY)
    newer = choice(analytics=False)
    assert said(add(choice=older, newer=newer)) == {
        "functional": True,
        "analytics": False,
    }


def test_a_first_answer_is_laid_over_nothing():
    assert add(choice=None, newer=choice(analytics=False)) == choice(analytics=False)


def test_where_browser_and_account_differ_the_refusal_holds():
    account = choice(functional=True, analytics=False)
    browser = choice(functional=False, analytics=True)
    merged = merge(account=account, browser=browser, left=False)
    assert said(merged) == {"functional": False, "analytics": False}
    assert refusals_kept(before=account, after=merged) == (Purpose.FUNCTIONAL,)


def test_a_grant_in_one_place_only_comes_along():
    merged = merge(account=None, browser=choice(analytics=True), left=False)
    assert said(merged) == {"analytics": True}


def test_what_another_person_left_comes_along_only_as_refusals():
    browser = choice(functional=True, analytics=False)
    assert said(merge(account=None, browser=browser, left=True)) == {"analytics": False}


def test_signing_in_never_lengthens_a_grant():
    early, late = everything(True, at=NOW - 90 * DAY), everything(True)
    for account, browser in ((early, late), (late, early)):
        merged = merge(account=account, browser=browser, left=False)
        assert merged.expires == early.expires


def test_an_opt_out_keeps_what_somebody_left_theirs():
    left = Choice(answers=everything(True).answers, left=True)
    assert add(choice=left, newer=choice(marketing=False)).left
    assert not add(choice=left, newer=everything(False)).left


@given(CHOICES, CHOICES, st.booleans())
def test_a_refusal_on_either_side_survives_a_merge(account, browser, left):
    merged = merge(account=account, browser=browser, left=left)
    for side in (account, browser):
        for purpose, answer in side.answers.items():
            assert answer.granted or not merged.answers[purpose].granted
        for name, answer in side.services.items():
            assert answer.granted or not merged.services[name].granted


@given(CHOICES, CHOICES, st.booleans())
def test_merging_again_changes_nothing(account, browser, left):
    once = merge(account=account, browser=browser, left=left)
    again = merge(account=once, browser=browser, left=left)
    assert not differs(before=once, after=again)


@given(CHOICES, st.booleans())
def test_a_merge_grants_nothing_that_nobody_granted(browser, left):
    merged = merge(account=None, browser=browser, left=left)
    for purpose in OPTIONAL:
        if purpose in merged.answers and merged.answers[purpose].granted:
            assert browser.answers[purpose].granted
            assert not left


@given(st.lists(CHOICES, min_size=1))
def test_what_was_said_last_about_each_purpose_stands(history):
    current = reduce(lambda older, newer: add(choice=older, newer=newer), history)
    for purpose in OPTIONAL:
        answers = [c.answers[purpose] for c in history if purpose in c.answers]
        if answers:
            assert current.answers[purpose] == answers[-1]
