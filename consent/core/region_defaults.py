"""What Google's tags may assume before anybody has answered, region by region.

Google Consent Mode takes defaults for lists of ISO 3166-1 and 3166-2 codes, of which
the most specific that names the visitor's place wins, and one without a region for
everywhere else. It knows no code for the European Union.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from consent.core.decide import decide
from consent.core.jurisdictions import Rule
from consent.core.policy import Policy
from consent.core.purposes import consent_mode
from consent.core.signals import Signals


@dataclass(frozen=True, slots=True)
class Default:
    """Signals for some regions; without one, for everywhere that is not named."""

    signals: Mapping[str, str]
    regions: tuple[str, ...] = ()


def region_defaults(
    *, policy: Policy, rules: Mapping[str, Rule], unknown: Rule, now: datetime
) -> tuple[Default, ...]:
    """What a visitor without a choice or a signal gets, at each place of `rules`.

    `rules` holds the rule in force of each code. One default for each different set
    of signals, the one for everywhere else first: that of the unknown place, which is
    the strictest. A subdivision is left out where its country says the same.
    """
    found = {code: _signals(policy, rule, now) for code, rule in rules.items()}
    groups: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for code in sorted(found):
        country = code.partition("-")[0]
        if code == country or found[code] != found.get(country):
            groups.setdefault(tuple(found[code].items()), []).append(code)
    named = [Default(dict(signals), tuple(codes)) for signals, codes in groups.items()]
    return (Default(_signals(policy, unknown, now)), *named)


def _signals(policy: Policy, rule: Rule, now: datetime) -> dict[str, str]:
    decision = decide(policy=policy, rule=rule, choice=None, signals=Signals(), now=now)
    return consent_mode(purposes=decision.whole)
