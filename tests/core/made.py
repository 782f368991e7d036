"""Small values for tests of the core: rules, policies, choices, and times."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from consent.core.jurisdictions import Regime, Rule, uniform
from consent.core.policy import Policy
from consent.core.preferences import Answer, Choice
from consent.core.purposes import OPTIONAL
from consent.core.scales import Banner, Confidence, Exemption, Model, OptOutLink, Parity
from consent.core.signals import Signal

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def rule(place="FR", model=Model.OPT_IN, **changes):
    """A rule with the defaults of its model."""
    values = {
        "regimes": frozenset({Regime(place, f"{place}_LAW", f"the law of {place}")}),
        "confidence": Confidence.HIGH,
        "models": uniform(model),
        "banner": Banner.OPT_IN if model is Model.OPT_IN else Banner.NONE,
        "grant_days": 180 if model is Model.OPT_IN else 365,
        "grant_limit": 180 if model is Model.OPT_IN else 365,
        "gap_days": 180 if model is Model.OPT_IN else 365,
    }
    return Rule(**values | changes)


ASK = rule("FR")
EXIT = rule("US-CA", Model.OPT_OUT, gpc_binding=True, opt_out_link=OptOutLink.LABEL)
TELL = rule("JP", Model.NOTICE)
NOTHING = rule("AQ", Model.NONE)
POLICY = Policy(version=1, hash="sha256:1")


def answer(granted, *, at=NOW, model=Model.OPT_IN, policy=1, over=0, days=180):
    return Answer(
        granted=granted,
        at=at,
        expires=at + days * DAY if granted else None,
        policy=policy,
        model=model,
        over_signal=Signal.GPC if over is True else Signal(over),
    )


def choice(
    *, at=NOW, model=Model.OPT_IN, policy=1, over=False, services=(), **purposes
):
    """A choice such as `choice(analytics=True, marketing=False)`."""
    return Choice(
        answers={
            p: answer(purposes[p], at=at, model=model, policy=policy, over=over)
            for p in OPTIONAL
            if p in purposes
        },
        services={
            n: answer(on, at=at, model=model) for n, on in dict(services).items()
        },
    )


def everything(on, **more):
    return choice(functional=on, analytics=on, marketing=on, **more)


_PLACES = st.sampled_from(
    ["FR", "DE", "US", "US-CA", "US-VA", "CA", "CA-QC", "JP", "*"]
)
_DAYS = st.integers(1, 800)
RULES = st.builds(
    Rule,
    regimes=st.frozensets(
        st.builds(Regime, _PLACES, st.just("X"), st.just("law")), min_size=1, max_size=3
    ),
    confidence=st.sampled_from(Confidence),
    models=st.tuples(*(st.sampled_from(Model) for _ in OPTIONAL)).map(
        lambda models: tuple(zip(OPTIONAL, models, strict=True))
    ),
    banner=st.sampled_from(Banner),
    grant_days=_DAYS,
    grant_limit=_DAYS,
    gap_days=_DAYS,
    tracer_days=st.none() | _DAYS,
    gpc_binding=st.booleans(),
    gpc_override=st.booleans(),
    signal_display=st.booleans(),
    parity=st.sampled_from(Parity),
    opt_out_link=st.sampled_from(OptOutLink),
    no_bottom=st.booleans(),
    exemptions=st.frozensets(st.sampled_from(Exemption)),
)
_TIMES = st.integers(-900, 0).map(lambda days: NOW + days * DAY)
ANSWERS = st.builds(
    lambda granted, at, model, policy, over, days: answer(
        granted,
        at=at,
        model=model,
        policy=policy,
        over=over if granted else 0,
        days=days,
    ),
    st.booleans(),
    _TIMES,
    st.sampled_from(Model),
    st.integers(1, 3),
    st.integers(0, 3),
    _DAYS,
)
SERVICES = st.sampled_from(["chat", "statistics", "video", "adverts"])
CHOICES = st.builds(
    Choice,
    answers=st.dictionaries(st.sampled_from(OPTIONAL), ANSWERS),
    services=st.dictionaries(SERVICES, ANSWERS, max_size=3),
    left=st.booleans(),
    region=st.none() | st.sampled_from(["FR", "CA-QC"]),
    rule=st.none() | st.sampled_from(["FR", "US-*"]),
)
