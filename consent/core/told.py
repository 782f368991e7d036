"""What is said of a consent record in the words of other standards.

It is made from the record and from what its policy version published, and from nothing
else. A member that we cannot know is left out; where a standard wants one all the same
it says `NOT_RECORDED`. None of these documents is signed: the receipt is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from consent.core.jurisdictions import UNKNOWN_PLACE

NOT_RECORDED: Final = "not recorded"

type Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What the documents are made from.

    `record` is format 1 as JSON values and `policy` the policy version that it names.
    `withdrawal` is the address where the answer can be changed. `retention_days` is how
    long the record is kept once it is no longer in force; 0 is for ever.
    """

    record: Mapping[str, Any]
    policy: Mapping[str, Any]
    withdrawal: str
    retention_days: int

    @property
    def asked(self) -> bool:
        """Whether the law in force there rests on consent, rather than on an opt-out.

        Elsewhere an answer is a wish that counts, and no lawful basis.
        """
        return bool(self.record["model"] == "opt_in")

    def services(self, purpose: str) -> list[Mapping[str, Any]]:
        """The services of a purpose, as the policy published them."""
        return [s for s in self.policy["services"] if s["purpose"] == purpose]

    def title(self, purpose: str) -> str:
        """What the policy calls a purpose in the language of the record."""
        titles = self.policy["purposes"].get(purpose, {}).get("title", {})
        language = self.record["notice"]["language"]
        return titles.get(language) or titles.get("en") or purpose

    def recipients(self, purpose: str) -> list[str]:
        """Who else learns something: the services' providers, each once."""
        own = self.policy["controller"]["name"]
        names = [service["provider"] for service in self.services(purpose)]
        return [name for name in dict.fromkeys(names) if name != own]

    @property
    def jurisdiction(self) -> str | None:
        """The places whose rule applied; None where the place was not known at all."""
        rule: str = self.record["jurisdiction"]["rule"]
        return None if rule == UNKNOWN_PLACE else rule

    @property
    def number(self) -> str:
        """The record's number with dashes, as the standards recommend it."""
        return str(UUID(hex=self.record["id"]))

    def granted(self, purpose: str) -> bool:
        """Whether a purpose was granted by this record; everything else is refused."""
        return bool(self.record["purposes"][purpose])

    @property
    def refused_or_withdrawn(self) -> bool:
        """Whether something that is refused had been granted before, and was withdrawn.

        That is so where everything is refused by an event `withdrawn`. The record does
        not say which of its purposes it was; of the others it was a plain refusal.
        """
        record = self.record
        return record["event"] == "withdrawn" and not any(record["purposes"].values())

    def rests_on_consent(self, purpose: str) -> bool:
        """Whether consent is the lawful basis of a purpose: asked for, and given.

        What was refused has no basis at all.
        """
        return self.asked and self.granted(purpose)


def longest_life(services: Sequence[Mapping[str, Any]]) -> str | None:
    """The life of the longest cookie as an ISO 8601 duration; None for none."""
    lives = [cookie.get("days") for s in services for cookie in s.get("cookies", ())]
    if not lives:
        return None
    longest = max(days or 0 for days in lives)
    return f"P{longest}D" if longest else "until the browser is closed"
