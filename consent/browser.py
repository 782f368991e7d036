"""The browser's copy of a choice: when it is set, how long it lives, when it follows.

The cookie is a signed cache. For an anonymous visitor it is all there is; for somebody
with an account it follows the account.
"""

from dataclasses import replace
from datetime import timedelta

from consent import visitor
from consent.core.preferences import Choice, differs
from consent.core.wanted import gap_days
from consent.decision import Consent

_DAY = timedelta(days=1)
_HALF_LIFE = visitor.cookies.LONGEST / 2


def keep_in_browser(consent: Consent, choice: Choice) -> None:
    """Have the response carry a choice as the signed cookie.

    Another site's page keeps the value itself: no cookie is set for it. What an earlier
    tool's cookie says is over then.
    """
    if consent.elsewhere:
        return
    consent.earlier = None
    choice = as_kept(consent, choice)
    days = cookie_days(consent, choice)
    consent.pending.append(
        lambda response: visitor.issue_choice(
            response, choice, cookies=consent.cookies, days=days
        )
    )


def as_kept(consent: Consent, choice: Choice) -> Choice:
    """The choice as the browser keeps it.

    What is an account's is marked so: should somebody else sign in at this browser, it
    counts for them only as refusals.
    """
    if consent.account is None:
        return choice
    return replace(choice, left=True)


def renew(consent: Consent) -> None:
    """Bring the browser's cookie up to date where it can wait no longer.

    A cookie that differs from the account's choice, because another device answered;
    and an opt-out that never ends, once half the cookie's life has passed. Only answers
    that are not stored anywhere may call this.
    """
    choice = consent.own_choice
    if consent.account is not None:
        _follow_account(consent)
        return
    if choice is None or choice.at is None or not _refuses(choice):
        return
    if consent.now - choice.at > _HALF_LIFE:
        keep_in_browser(consent, choice)


def _follow_account(consent: Consent) -> None:
    if consent.preference is None or consent.choice is None:
        return
    account, browser = consent.choice, consent.browser_choice
    if browser is None or differs(before=browser, after=account):
        keep_in_browser(consent, account)


def cookie_days(consent: Consent, choice: Choice) -> int:
    """How long the cookie lives: the longest of the clocks; for ever is 400 days.

    A refusal outlives its gap: what ends after the gap is only the duty not to ask.
    """
    if choice.expires is None or _refuses(choice):
        return visitor.cookies.LONGEST // _DAY
    gap = gap_days(policy=consent.published.policy, rule=consent.rule)
    last = max(a.expires for a in choice.answers.values() if a.expires)
    return max(gap, -((consent.now - last) // _DAY))  # days begun count whole


def _refuses(choice: Choice) -> bool:
    return any(not answer.granted for answer in choice.answers.values())
