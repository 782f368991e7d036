"""What the answers that an earlier tool's cookies hold are worth here.

They are a choice like any other, but for two things: nothing of it was recorded yet,
and nobody knows whether the person who gave them is the one who sits there now. So it
is marked as left in the browser, and brings an account only refusals (rule 8).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from consent.core.imports import by_purpose, counted
from consent.core.jurisdictions import Rule
from consent.core.preferences import Choice, merge
from consent.publication import Published
from consent.visitor.earlier import Found


def what_counts(
    found: Sequence[Found], *, here: Published, rule: Rule, now: datetime
) -> Choice | None:
    """The choice in the cookies of earlier tools; None where nothing of them counts.

    Of two tools the refusal holds.
    """
    if not here.policy.version:
        return None
    choice = Choice()
    for of, earlier in found:
        if earlier is not None:
            said = by_purpose(earlier, names=of.names)
            theirs = counted(
                said=said,
                earlier=earlier,
                policy=here.policy,
                same_as=here.version(of.same_as),
                rule=rule,
                now=now,
            )
            choice = merge(account=choice, browser=theirs, left=False)
    return replace(choice, left=True) if choice.answers else None
