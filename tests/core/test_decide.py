"""The decision, rule by rule (docs/rules.md): sentences about visitors."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.core.decide import Reason, Status, decide
from consent.core.jurisdictions import combine, uniform
from consent.core.policy import Audience, Policy, Service
from consent.core.purposes import OPTIONAL, Purpose, consent_mode
from consent.core.scales import Banner, Exemption, Model
from consent.core.signals import Signal, Signals
from consent.core.wanted import grant_ends
from tests.core.made import (
    ASK,
    CHOICES,
    DAY,
    EXIT,
    NOTHING,
    NOW,
    POLICY,
    RULES,
    TELL,
    choice,
    everything,
    rule,
)

GPC = Signals(gpc=True)
DNT = Signals(dnt=True)


def decided(law=ASK, chosen=None, *, policy=POLICY, signals=None, now=NOW, **more):
    return decide(
        policy=policy,
        rule=law,
        choice=chosen,
        signals=signals or Signals(),
        now=now,
        **more,
    )


def running(decision):
    return {str(p) for p, on in decision.purposes.items() if on and p in OPTIONAL}


EVERYTHING = {"functional", "analytics", "marketing"}


# --- asked, told, left alone ---------------------------------------------------------


def test_a_parisian_without_a_choice_is_asked_and_nothing_runs():
    decision = decided(ASK)
    assert (decision.banner, decision.reason) == (Banner.OPT_IN, Reason.NO_CHOICE)
    assert running(decision) == set()
    assert decision.purposes[Purpose.NECESSARY]


def test_a_californian_without_a_choice_is_left_alone_and_nothing_is_stored():
    decision = decided(EXIT)
    assert (decision.banner, decision.reason) == (Banner.NONE, Reason.NOT_REQUIRED)
    assert running(decision) == EVERYTHING
    assert decision.choice is None


def test_where_the_law_wants_telling_the_visitor_is_told_until_they_choose():
    law = rule("MX", Model.OPT_OUT, banner=Banner.NOTICE)
    assert decided(law).banner is Banner.NOTICE
    told = decided(law, everything(False))
    assert (told.banner, told.reason) == (Banner.NONE, Reason.CHOICE_VALID)


def test_a_site_may_ask_where_the_law_does_not():
    policy = Policy(version=1, hash="", minimum=Model.OPT_IN)
    decision = decided(TELL, policy=policy)
    assert decision.banner is Banner.OPT_IN
    assert running(decision) == set()


def test_a_site_cannot_lower_what_the_law_wants():
    policy = Policy(version=1, hash="", minimum=Model.NONE, banner=Banner.NONE)
    assert decided(ASK, policy=policy).banner is Banner.OPT_IN


def test_a_site_that_asks_for_nothing_shows_nothing_and_runs_nothing():
    decision = decided(ASK, policy=Policy(version=0, hash="", purposes=()))
    assert (decision.banner, running(decision)) == (Banner.NONE, set())


def test_a_rule_may_be_stricter_for_one_purpose():
    models = tuple(
        (p, Model.OPT_IN if p is Purpose.MARKETING else Model.NOTICE) for p in OPTIONAL
    )
    decision = decided(rule("SG", Model.NOTICE, models=models, banner=Banner.OPT_IN))
    assert running(decision) == {"functional", "analytics"}
    assert decision.model is Model.OPT_IN


# --- after a choice ------------------------------------------------------------------


@pytest.mark.parametrize("law", [ASK, EXIT, TELL, NOTHING])
def test_a_refusal_is_honoured_everywhere(law):
    assert running(decided(law, everything(False))) == set()


def test_a_grant_runs_and_is_not_asked_again():
    decision = decided(ASK, everything(True))
    assert running(decision) == EVERYTHING
    assert (decision.banner, decision.reason) == (Banner.NONE, Reason.CHOICE_VALID)


def test_a_grant_from_a_laxer_place_does_not_count_in_a_stricter_one():
    decision = decided(ASK, everything(True, model=Model.OPT_OUT))
    assert running(decision) == set()
    assert (decision.banner, decision.reason) == (Banner.OPT_IN, Reason.STRICTER_PLACE)


def test_a_grant_from_a_stricter_place_counts_in_a_laxer_one():
    assert running(decided(EXIT, everything(True))) == EVERYTHING


def test_a_grant_is_over_on_its_last_day_and_asked_again():
    chosen = everything(True)
    assert running(decided(ASK, chosen, now=NOW + 180 * DAY - timedelta(seconds=1)))
    over = decided(ASK, chosen, now=NOW + 180 * DAY)
    assert running(over) == set()
    assert (over.banner, over.reason) == (Banner.OPT_IN, Reason.CHOICE_EXPIRED)
    assert over.choice == chosen


def test_a_place_with_a_shorter_limit_ends_a_grant_from_elsewhere_sooner():
    short = rule("IE", grant_days=90, grant_limit=90)
    assert running(decided(short, everything(True), now=NOW + 91 * DAY)) == set()


def test_after_a_refusal_there_is_no_banner_until_the_gap_is_over():
    chosen = everything(False)
    soon = decided(ASK, chosen, now=NOW + 179 * DAY)
    assert soon.banner is Banner.NONE
    late = decided(ASK, chosen, now=NOW + 180 * DAY)
    assert (late.banner, late.reason) == (Banner.OPT_IN, Reason.CHOICE_EXPIRED)
    assert running(late) == set()


def test_an_opt_out_is_never_asked_about_again():
    law = rule("US-CA", Model.OPT_OUT, banner=Banner.OPT_IN)
    chosen = everything(False, model=Model.OPT_OUT)
    decision = decided(law, chosen, now=NOW + 3000 * DAY)
    assert (decision.banner, running(decision)) == (Banner.NONE, set())


def test_a_lapsed_grant_is_not_asked_while_a_refusal_is_fresh():
    policy = Policy(version=1, hash="sha256:1", grant_days=30)
    chosen = choice(functional=True, analytics=True, marketing=False)
    short = rule("FR", grant_days=30, grant_limit=30)
    decision = decided(short, chosen, policy=policy, now=NOW + 60 * DAY)
    assert (decision.banner, decision.reason) == (Banner.NONE, Reason.REASK_TOO_SOON)
    assert running(decision) == set()


def test_a_site_may_lengthen_the_gap_and_never_shorten_it():
    longer = Policy(version=1, hash="sha256:1", gap_days=365)
    shorter = Policy(version=1, hash="sha256:1", gap_days=1)
    later = {"now": NOW + 181 * DAY}
    assert decided(ASK, everything(False), policy=longer, **later).banner is Banner.NONE
    soon = {"now": NOW + 2 * DAY}
    assert decided(ASK, everything(False), policy=shorter, **soon).banner is Banner.NONE


def test_the_gap_is_at_least_as_long_as_a_grant_would_have_lived():
    law = rule("ES", grant_days=180, grant_limit=730)
    policy = Policy(version=1, hash="sha256:1", grant_days=700)
    later = decided(law, everything(False), policy=policy, now=NOW + 699 * DAY)
    assert later.banner is Banner.NONE


def test_a_banner_that_asks_again_does_not_ask_what_was_just_refused():
    chosen = choice(functional=True, analytics=True, marketing=False)
    decision = decided(ASK, chosen, policy=changed(Purpose.ANALYTICS))
    assert decision.banner is Banner.OPT_IN
    assert decision.asked == (Purpose.ANALYTICS,)


def test_after_an_opt_out_the_banner_asks_only_about_the_rest():
    decision = decided(ASK, choice(marketing=False))
    assert decision.asked == (Purpose.FUNCTIONAL, Purpose.ANALYTICS)


def test_whoever_has_chosen_nothing_is_asked_about_everything():
    assert decided(ASK).asked == OPTIONAL
    assert decided(EXIT).asked == ()


def test_a_bar_that_tells_comes_back_when_what_it_told_has_changed():
    law = rule("MX", Model.OPT_OUT, banner=Banner.NOTICE)
    chosen = everything(True, model=Model.OPT_OUT)
    later = decided(law, chosen, policy=changed(Purpose.ANALYTICS))
    assert (later.banner, later.reason) == (Banner.NOTICE, Reason.POLICY_CHANGED)
    over = decided(law, chosen, now=NOW + 366 * DAY)
    assert (over.banner, over.reason) == (Banner.NOTICE, Reason.CHOICE_EXPIRED)


def test_a_site_may_shorten_a_grant_and_lengthen_it_only_to_the_rules_limit():
    law = rule("ES", grant_days=180, grant_limit=730)
    ends = {
        days: grant_ends(
            policy=Policy(version=1, hash="", grant_days=days), rule=law, at=NOW
        )
        for days in (None, 30, 700, 9000)
    }
    lives = {days: (end - NOW).days for days, end in ends.items()}
    assert lives == {None: 180, 30: 30, 700: 700, 9000: 730}


# --- a policy that changed -----------------------------------------------------------


def changed(*purposes):
    return Policy(version=2, hash="sha256:2", changed={1: frozenset(purposes)})


def test_what_changed_materially_is_off_and_asked_and_the_rest_stays():
    decision = decided(ASK, everything(True), policy=changed(Purpose.ANALYTICS))
    assert running(decision) == {"functional", "marketing"}
    assert (decision.banner, decision.reason) == (Banner.OPT_IN, Reason.POLICY_CHANGED)


def test_a_change_of_words_alone_asks_nobody():
    decision = decided(ASK, everything(True), policy=changed())
    assert (decision.banner, running(decision)) == (Banner.NONE, EVERYTHING)


def test_a_new_purpose_is_asked_and_a_refusal_of_the_others_stands():
    chosen = choice(functional=False, analytics=False)
    decision = decided(ASK, chosen, policy=changed(Purpose.MARKETING))
    assert decision.reason is Reason.POLICY_CHANGED
    assert running(decision) == set()


def test_an_answer_to_a_version_nobody_knows_counts_for_nothing():
    decision = decided(ASK, everything(True, policy=9))
    assert running(decision) == set()


# --- signals -------------------------------------------------------------------------


def test_a_californian_with_the_signal_has_marketing_off_and_is_told_so():
    decision = decided(EXIT, signals=GPC)
    assert running(decision) == {"functional", "analytics"}
    assert (decision.applied, decision.status) == (("gpc",), Status.HONORED)
    assert decision.choice is None


def test_the_signal_does_not_answer_the_banner():
    assert decided(ASK, signals=GPC).banner is Banner.OPT_IN


def test_a_grant_from_before_the_signal_is_suspended():
    decision = decided(ASK, everything(True), signals=GPC)
    assert running(decision) == {"functional", "analytics"}
    assert decision.status is Status.HONORED


def test_a_grant_over_the_signal_overrides_it_where_the_rule_allows():
    chosen = everything(True, over=True)
    assert decided(EXIT, chosen, signals=GPC).status is Status.OVERRIDDEN
    assert Purpose.MARKETING in running(decided(EXIT, chosen, signals=GPC))
    strict = rule("US-VT", Model.OPT_OUT, gpc_override=False)
    assert decided(strict, chosen, signals=GPC).status is Status.HONORED
    assert "marketing" not in running(decided(strict, chosen, signals=GPC))


def test_a_grant_over_one_signal_is_suspended_by_another():
    over_dnt = choice(marketing=True, over=Signal.DNT)
    assert decided(ASK, over_dnt, signals=DNT).status is Status.OVERRIDDEN
    assert decided(ASK, over_dnt, signals=GPC).status is Status.HONORED
    over_gpc = choice(marketing=True, over=Signal.GPC)
    both = Signals(gpc=True, dnt=True)
    assert decided(ASK, over_gpc, signals=both).applied == ("gpc", "dnt")


def test_do_not_track_counts_only_where_marketing_is_opt_in():
    assert decided(ASK, everything(True), signals=DNT).applied == ("dnt",)
    assert decided(EXIT, signals=DNT).applied == ()
    assert running(decided(EXIT, signals=DNT)) == EVERYTHING


def test_both_signals_are_named():
    assert decided(ASK, signals=Signals(gpc=True, dnt=True)).applied == ("gpc", "dnt")


# --- what cannot be believed, and children -------------------------------------------


@pytest.mark.parametrize("law", [ASK, EXIT, TELL, NOTHING])
def test_a_choice_that_cannot_be_believed_runs_nothing_in_any_place(law):
    decision = decided(law, everything(True), trusted=False)
    assert running(decision) == set()
    assert decision.choice is None
    assert decision.reason is Reason.NO_CHOICE


def test_children_are_not_offered_marketing_and_are_asked_for_the_rest():
    decision = decided(NOTHING, everything(True), minor=True)
    assert Purpose.MARKETING not in decision.offered
    assert running(decision) == {"functional", "analytics"}
    assert running(decided(NOTHING, minor=True)) == set()


def test_a_site_for_children_says_so_for_every_visitor():
    policy = Policy(version=1, hash="sha256:1", audience=Audience.CHILDREN)
    assert running(decided(NOTHING, policy=policy)) == set()
    assert decided(NOTHING, policy=policy).banner is Banner.OPT_IN


# --- services ------------------------------------------------------------------------

COUNTER = Service("counter", Purpose.ANALYTICS, Exemption.OWN_STATISTICS)
VIDEO = Service("video", Purpose.MARKETING)
SERVED = Policy(version=1, hash="sha256:1", services=(COUNTER, VIDEO))
BRITAIN = rule("GB", exemptions=frozenset({Exemption.OWN_STATISTICS}))


def test_an_exempt_service_runs_alone_before_a_choice():
    decision = decided(BRITAIN, policy=SERVED)
    assert decision.services == {"counter": True}
    assert not decision.purposes[Purpose.ANALYTICS]
    assert decision.allows(Purpose.ANALYTICS, "counter")


def test_no_marketing_is_ever_exempt():
    wrong = Service("ads", Purpose.MARKETING, Exemption.OWN_STATISTICS)
    policy = Policy(version=1, hash="sha256:1", services=(wrong,))
    assert decided(BRITAIN, policy=policy).services == {}


def test_an_exemption_needs_a_law_that_grants_it():
    assert decided(ASK, policy=SERVED).services == {}


@pytest.mark.parametrize(
    "chosen",
    [choice(analytics=False), choice(services={"counter": False}, functional=True)],
)
def test_an_exempt_service_can_be_objected_to(chosen):
    assert "counter" not in decided(BRITAIN, chosen, policy=SERVED).services


def test_a_service_refused_alone_stays_off_while_its_purpose_runs():
    chosen = choice(marketing=True, services={"video": False})
    decision = decided(ASK, chosen, policy=SERVED)
    assert decision.purposes[Purpose.MARKETING]
    assert decision.services == {"video": False}
    assert not decision.allows(Purpose.MARKETING, "video")


def test_no_exemption_survives_a_choice_that_cannot_be_believed():
    assert decided(BRITAIN, policy=SERVED, trusted=False).services == {}


# --- laws that hold for every history ------------------------------------------------

POLICIES = st.builds(
    Policy,
    version=st.just(3),
    hash=st.just("sha256:3"),
    services=st.just((COUNTER, VIDEO)),
    minimum=st.sampled_from(Model),
    grant_days=st.none() | st.integers(1, 800),
    changed=st.dictionaries(
        st.integers(1, 2), st.frozensets(st.sampled_from(OPTIONAL)), min_size=2
    ),
)
SIGNALS = st.builds(Signals, st.booleans(), st.booleans())


@given(POLICIES, RULES, CHOICES, SIGNALS, st.integers(0, 5000))
def test_time_never_turns_a_refusal_into_running(policy, law, chosen, signals, days):
    decision = decided(
        law, chosen, policy=policy, signals=signals, now=NOW + days * DAY
    )
    for purpose, answer in chosen.answers.items():
        assert answer.granted or not decision.purposes[purpose]
    for service in policy.services:
        answer = chosen.services.get(service.slug)
        if answer is not None and not answer.granted:
            assert not decision.allows(service.purpose, service.slug)


@given(POLICIES, RULES, SIGNALS)
def test_without_a_choice_nothing_opt_in_runs_but_by_exemption(policy, law, signals):
    decision = decided(law, policy=policy, signals=signals)
    for purpose in OPTIONAL:
        if law.model_for(purpose) is Model.OPT_IN:
            assert not decision.purposes[purpose]
    assert not any(decision.services.values()) or law.exemptions


@given(POLICIES, RULES, RULES, CHOICES, SIGNALS)
def test_a_stricter_rule_never_lets_more_run(policy, law, other, chosen, signals):
    lax = decided(law, chosen, policy=policy, signals=signals)
    strict = decided(combine(law, other), chosen, policy=policy, signals=signals)
    assert running(strict) <= running(lax)


@given(POLICIES, RULES, CHOICES)
def test_the_signal_never_lets_more_run(policy, law, chosen):
    with_signal = decided(law, chosen, policy=policy, signals=GPC)
    without = decided(law, chosen, policy=policy)
    assert running(with_signal) <= running(without)


def test_consent_mode_follows_the_purposes():
    mode = consent_mode(purposes=decided(EXIT, signals=GPC).purposes)
    assert mode == {
        "ad_storage": "denied",
        "ad_user_data": "denied",
        "ad_personalization": "denied",
        "analytics_storage": "granted",
        "functionality_storage": "granted",
        "personalization_storage": "granted",
        "security_storage": "granted",
    }


def test_a_purpose_that_is_not_named_is_denied():
    assert consent_mode(purposes={})["security_storage"] == "denied"


def test_the_strictest_model_of_any_purpose_is_the_model():
    models = (*uniform(Model.NOTICE)[:2], (Purpose.MARKETING, Model.OPT_OUT))
    assert decided(rule("XX", models=models)).model is Model.OPT_OUT
