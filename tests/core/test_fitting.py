"""Making a choice fit into a cookie: it may only become stricter."""

from dataclasses import replace
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from consent.core.cookie import encode
from consent.core.decide import decide
from consent.core.fitting import fitted
from consent.core.policy import Policy, Service
from consent.core.preferences import Choice
from consent.core.purposes import OPTIONAL, Purpose
from consent.core.scales import Exemption, Model
from consent.core.signals import Signals
from tests.core.made import ANSWERS, CHOICES, NOW, RULES, answer, choice, everything

EXEMPT = Exemption.OWN_STATISTICS
SERVICES = tuple(
    Service(
        slug=f"service-{n}",
        purpose=OPTIONAL[n % 3],
        exemption=EXEMPT if n % 2 and n % 3 == 1 else None,
    )
    for n in range(12)
)
OF_SERVICE = {service.slug: service.purpose for service in SERVICES}
# Room for three answers, each with a time of its own, a region and a rule.
ROOM = 330


def size(choice: Choice) -> int:
    return len(encode(choice))


fit = partial(fitted, of_service=OF_SERVICE, largest=ROOM, size=size)
NAMES = st.sampled_from([*OF_SERVICE, "never-published"])
FULL = st.builds(
    lambda choice, services: replace(choice, services=services),
    CHOICES,
    st.dictionaries(NAMES, ANSWERS),
)


def refused(*slugs: str) -> dict[str, bool]:
    return dict.fromkeys(slugs, False)


@given(FULL)
def test_the_result_always_fits(full: Choice) -> None:
    assert size(fit(full)) <= ROOM


@given(FULL, RULES, st.sampled_from(Model), st.booleans())
def test_nothing_runs_that_did_not_run_before(
    full: Choice, rule: object, minimum: Model, gpc: bool
) -> None:
    policy = Policy(version=1, hash="sha256:1", services=SERVICES, minimum=minimum)
    ask = partial(decide, policy=policy, rule=rule, signals=Signals(gpc=gpc), now=NOW)
    before, after = ask(choice=full), ask(choice=fit(full))
    for purpose in Purpose:
        assert after.allows(purpose) <= before.allows(purpose)
    for service in SERVICES:
        asked = service.purpose, service.slug
        assert after.allows(*asked) <= before.allows(*asked)


@given(FULL)
def test_no_refusal_becomes_a_grant(full: Choice) -> None:
    fits = fit(full)
    for purpose, given_ in full.answers.items():
        assert fits.answers[purpose].granted <= given_.granted
    for slug, given_ in full.services.items():
        if slug in OF_SERVICE and not given_.granted and slug not in fits.services:
            assert fits.answers[OF_SERVICE[slug]].granted is False


@given(FULL)
def test_what_fits_is_left_as_it_is_and_fitting_twice_changes_nothing(
    full: Choice,
) -> None:
    fits = fit(full)
    assert fit(fits) == fits
    assert fits == full or size(full) > ROOM


def test_what_says_nothing_goes_before_any_purpose_is_refused() -> None:
    many = {f"never-published-{n}": False for n in range(20)}
    full = choice(
        functional=True,
        analytics=False,
        services={**many, "service-0": False, "service-1": False, "service-3": True},
    )
    fits = fit(full)
    assert fits.answers == full.answers
    assert set(fits.services) == {"service-0"}


def test_the_purpose_with_the_most_refused_services_is_refused_first() -> None:
    functional, analytics, marketing = OPTIONAL
    alone = ("service-0", "service-1", "service-2", "service-4", "service-7")
    full = everything(True, services=refused(*alone))
    fits = fit(full, largest=size(full) - 1)
    assert [p for p, a in fits.answers.items() if a.granted] == [functional, marketing]
    assert fits.answers[analytics].granted is False
    assert set(fits.services) == {"service-0", "service-2"}


def test_a_purpose_that_was_never_answered_is_refused_as_its_services_were() -> None:
    services = {slug: answer(False) for slug in OF_SERVICE}
    fits = fit(Choice(services=services), largest=200)
    assert all(not given_.granted for given_ in fits.answers.values())
    assert size(fits) <= 200
