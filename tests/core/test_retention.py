"""When records end, and that dropping what ended never lets anything run again."""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import reduce

from hypothesis import example, given, settings
from hypothesis import strategies as st

from consent.core.decide import decide
from consent.core.policy import Policy, Service
from consent.core.preferences import Answer, Choice, add, differs, merge
from consent.core.purposes import OPTIONAL, Purpose
from consent.core.record import timestamp
from consent.core.retention import (
    Answered,
    answered,
    ended_of_nobody,
    endings,
    is_due,
)
from consent.core.scales import Exemption, Model
from consent.core.signals import Signals
from tests.core.made import ASK, DAY, EXIT, NOTHING, NOW, TELL, answer, everything, rule

APART = timedelta(minutes=1)
LONGEST = 730 * DAY


def gave(number, days, until=None, **answers):
    """A record of `days` after NOW; `until` is days after NOW as well."""
    ends = None if until is None else NOW + until * DAY
    return Answered(
        id=f"{number:032x}", time=NOW + days * DAY, answers=answers, until=ends
    )


def ended(*records):
    """After how many days each record ended, in the order given; None for never."""
    found = endings(records=records, apart=APART)
    return [None if found[r.id] is None else (found[r.id] - NOW) / DAY for r in records]


def test_a_grant_that_nobody_answered_since_ends_with_its_life():
    assert ended(gave(1, 0, 180, analytics=True)) == [180]


def test_a_refusal_that_nobody_answered_since_never_ends():
    assert ended(gave(1, 0, analytics=False)) == [None]


def test_an_answer_ends_with_the_next_to_the_same():
    assert ended(
        gave(1, 0, analytics=False),
        gave(2, 10, 190, analytics=True),
        gave(3, 20, analytics=False),
    ) == [10, 20, None]


def test_a_record_stands_as_long_as_any_of_its_answers():
    both = gave(1, 0, 180, analytics=True, marketing=False)
    assert ended(both, gave(2, 10, analytics=False)) == [None, None]
    assert ended(both, gave(2, 10, 190, marketing=True)) == [180, 190]
    again = gave(2, 10, 190, marketing=True, analytics=True)
    assert ended(both, again) == [10, 190]


def test_a_grant_ends_with_its_life_even_where_it_is_answered_later():
    assert ended(gave(1, 0, 5, analytics=True), gave(2, 10, analytics=False)) == [
        5,
        None,
    ]


def test_a_grant_that_is_over_stays_while_an_older_one_would_count():
    long = gave(1, 0, 730, analytics=True, marketing=True)
    short = gave(2, 10, 20, analytics=True)
    assert ended(long, short) == [730, 730]
    assert ended(gave(1, 0, 730, analytics=True), short) == [10, 20]


def test_a_purpose_and_a_service_of_one_name_are_two_answers():
    members = {
        "id": "1",
        "event": "partial",
        "purposes": {"analytics": False},
        "services": {"analytics": True},
        "valid_until": timestamp(NOW + 9 * DAY),
    }
    record = answered(members=members, time=NOW, longest=LONGEST)
    assert sorted(record.answers.values()) == [False, True]
    assert record.until == NOW + 9 * DAY


def test_a_merge_may_hold_grants_longer_than_it_says():
    members = {
        "id": "1",
        "event": "merged",
        "purposes": {"analytics": True},
        "services": {},
        "valid_until": timestamp(NOW + 9 * DAY),
    }
    assert answered(members=members, time=NOW, longest=LONGEST).until == NOW + LONGEST
    nothing = {**members, "valid_until": None}
    assert answered(members=nothing, time=NOW, longest=LONGEST).until is None


def test_a_grant_without_an_end_stands_until_it_is_answered():
    assert ended(gave(1, 0, analytics=True)) == [None]
    assert ended(gave(1, 0, analytics=True), gave(2, 3, analytics=False)) == [3, None]


def test_of_two_records_of_one_moment_neither_ends_the_other():
    a_second = 1 / 86_400
    first = gave(1, 0, analytics=False)
    assert ended(first, gave(2, a_second, 180, analytics=True)) == [None, 180]
    a_minute_later = gave(2, 61 * a_second, 180, analytics=True)
    assert None not in ended(first, a_minute_later)
    short, long = gave(1, 0, 20, analytics=True), gave(2, 0, 730, analytics=True)
    assert ended(long, short) == ended(short, long) == [730, 730]


def test_a_record_that_answers_nothing_ended_when_it_was_given():
    assert ended(gave(1, 7)) == [7]


def test_nobodys_record_ends_when_the_browser_forgets():
    assert ended_of_nobody(time=NOW, remembered=400 * DAY) == NOW + 400 * DAY


def test_a_record_is_due_when_it_ended_more_than_the_days_ago():
    assert not is_due(ended=NOW, at=NOW + 30 * DAY, days=30)
    assert is_due(ended=NOW, at=NOW + 30 * DAY + timedelta(seconds=1), days=30)
    assert not is_due(ended=None, at=NOW + 9999 * DAY, days=30)


# --- histories -----------------------------------------------------------------------

SERVICES = ("statistics", "video")
POLICY = Policy(
    version=1,
    hash="sha256:1",
    services=(
        Service("statistics", Purpose.ANALYTICS, Exemption.OWN_STATISTICS),
        Service("video", Purpose.MARKETING),
    ),
)
EXEMPT = rule("GB", exemptions=frozenset(Exemption))
LASTING = rule("ES", grant_limit=730)
PLACES = (ASK, LASTING, EXIT, TELL, NOTHING, EXEMPT)


@dataclass
class Account:
    """An account's linked records, all of them and those that are left.

    `base` is what the account keeps from an erasure, when its records are gone.
    """

    now: object = NOW
    base: Choice | None = None
    history: list[tuple[Answered, Choice]] = field(default_factory=list)
    left: list[tuple[Answered, Choice]] = field(default_factory=list)
    numbers: int = 0

    def choice(self, records):
        """What records add up to, in the order in which they were kept."""
        newer = (choice for _, choice in records)
        return reduce(lambda c, n: add(choice=c, newer=n), newer, self.base)

    def record(self, choice, number, event="partial"):
        lives = [a.expires for a in choice.answers.values() if a.expires]
        self.numbers += 1
        members = {
            # Numbers are random: their order says nothing.
            "id": f"{number:016x}{self.numbers:016x}",
            "event": event,
            "purposes": {str(p): a.granted for p, a in choice.answers.items()},
            "services": {name: a.granted for name, a in choice.services.items()},
            "valid_until": timestamp(min(lives)) if lives else None,
        }
        kept = (answered(members=members, time=self.now, longest=LONGEST), choice)
        self.history.append(kept)
        self.left.append(kept)

    def answer(self, number, purposes, services, days):
        def said(granted):
            return answer(granted, at=self.now, days=days)

        self.record(
            Choice(
                answers={p: said(on) for p, on in purposes.items()},
                services={name: said(on) for name, on in services.items()},
            ),
            number,
        )

    def opt_out(self, number):
        self.answer(number, {Purpose.MARKETING: False}, {}, 1)

    def sign_in(self, number, browser, left):
        """Merge a browser whose answers are some days old."""
        aged = {
            key: Answer(
                granted=on,
                at=self.now - ago * DAY,
                expires=self.now + (life - ago) * DAY if on else None,
                policy=1,
                model=Model.OPT_IN,
            )
            for key, (on, ago, life) in browser.items()
        }
        account = self.choice(self.history)
        merged = merge(account=account, browser=Choice(answers=aged), left=left)
        if differs(before=account, after=merged):
            self.record(merged, number, "merged")

    def prune(self, days, most):
        """Drop what is due, oldest first; a run may be stopped at any place."""
        found = endings(records=[r for r, _ in self.left], apart=APART)
        due = [
            r
            for r, _ in sorted(self.left, key=lambda kept: kept[0].time)
            if is_due(ended=found[r.id], at=self.now, days=days)
        ][:most]
        gone = {record.id for record in due}
        self.left = [kept for kept in self.left if kept[0].id not in gone]

    def erase(self):
        self.base = everything(False, at=self.now)
        self.history, self.left = [], []


def running(choice, now, place):
    decision = decide(
        policy=POLICY, rule=place, choice=choice, signals=Signals(), now=now
    )
    services = {s.slug: decision.allows(s.purpose, s.slug) for s in POLICY.services}
    return {name for name, on in {**decision.purposes, **services}.items() if on}


def counts(given_answer, now):
    """Whether an answer still says something: a refusal, or a grant that lives."""
    return not given_answer.granted or given_answer.expires > now


def check(account):
    """What is left adds up to the same, wherever the person is."""
    now = account.now
    whole, left = account.choice(account.history), account.choice(account.left)
    whole, left = whole or Choice(), left or Choice()
    for before, after in (
        (whole.answers, left.answers),
        (whole.services, left.services),
    ):
        for key, said in before.items():
            if counts(said, now):
                assert after.get(key) == said
    for place in PLACES:
        assert running(left, now, place) <= running(whole, now, place)


FLAGS = st.booleans()
NUMBERS = st.integers(0, 7)
LIVES = st.sampled_from([1, 20, 180, 365, 730])
BROWSERS = st.dictionaries(
    st.sampled_from(OPTIONAL),
    st.tuples(FLAGS, st.integers(0, 400), LIVES).filter(lambda a: a[1] < a[2]),
)
STEPS = st.one_of(
    st.tuples(
        st.just("answer"),
        NUMBERS,
        st.dictionaries(st.sampled_from(OPTIONAL), FLAGS, min_size=1),
        st.dictionaries(st.sampled_from(SERVICES), FLAGS),
        LIVES,
    ),
    st.tuples(st.just("opt_out"), NUMBERS),
    st.tuples(st.just("sign_in"), NUMBERS, BROWSERS, FLAGS),
    st.tuples(st.just("erase")),
    st.tuples(st.just("prune"), st.integers(30, 400), st.none() | st.integers(0, 3)),
    st.tuples(
        st.just("wait"),
        st.sampled_from(
            [timedelta(0), timedelta(seconds=30), DAY, 45 * DAY, 400 * DAY]
        ),
    ),
)


def live(steps):
    """A life of records; what no person answered never lets anything run again."""
    account = Account()
    for what, *how in steps:
        before = account.choice(account.left) or Choice()
        refused = {p for p, a in before.answers.items() if not a.granted}
        if what == "wait":
            account.now += how[0]
        else:
            getattr(account, what)(*how)
        check(account)
        if what in {"wait", "prune", "erase"}:
            after = (account.choice(account.left) or Choice()).answers
            assert all(not after[purpose].granted for purpose in refused)
        if what == "erase":
            for place in PLACES:
                assert running(account.base, account.now, place) == {"necessary"}
    return account


ANALYTICS, MARKETING = Purpose.ANALYTICS, Purpose.MARKETING


@given(st.lists(STEPS, max_size=14))
@example(
    [
        ("answer", 0, {ANALYTICS: True, MARKETING: True}, {}, 730),
        ("wait", DAY),
        ("answer", 0, {ANALYTICS: False}, {}, 1),
        ("wait", DAY),
        ("answer", 0, {ANALYTICS: True}, {}, 20),
        ("wait", 400 * DAY),
        ("prune", 30, None),
    ]
)
@example(
    [
        ("answer", 7, {ANALYTICS: True}, {}, 730),
        ("answer", 0, {ANALYTICS: True}, {}, 20),
        ("wait", 400 * DAY),
        ("prune", 30, None),
    ]
)
@example(
    [
        ("answer", 0, {ANALYTICS: True}, {}, 20),
        ("sign_in", 0, {MARKETING: (True, 0, 365)}, False),
        ("wait", 45 * DAY),
        ("wait", 45 * DAY),
        ("prune", 30, None),
    ]
)
@settings(max_examples=300, deadline=None)
def test_nothing_runs_again_by_time_pruning_or_erasing(steps):
    live(steps)


@given(st.lists(STEPS, max_size=14), st.integers(30, 400), st.integers(0, 3))
@settings(max_examples=200, deadline=None)
def test_pruning_twice_is_pruning_once_wherever_it_was_stopped(steps, days, most):
    account = live(steps)
    stopped = Account(now=account.now, base=account.base, left=list(account.left))
    account.prune(days, None)
    once = list(account.left)
    account.prune(days, None)
    assert account.left == once
    stopped.prune(days, most)
    stopped.prune(days, None)
    assert stopped.left == once
