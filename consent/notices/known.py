"""Which notice a hash names, among those that a site can have shown."""

from itertools import combinations, product

from consent.core.canonical import is_hash
from consent.core.decide import Decision
from consent.core.policy import Policy
from consent.core.record import Surface
from consent.models import Notice
from consent.notices.shown import Named, notice_for
from consent.notices.words import Asked, Kind
from consent.publication import Published


def banner_known(
    here: Published, decision: Decision, *, policy: Policy, digest: str, language: str
) -> Named | None:
    """The asking banner of a policy version that a hash names; None for any other.

    It is one that this process would show, to somebody of whom more or less is due, or
    one that is kept: shown before an update, or under an older version.
    """
    if not is_hash(digest):
        return None  # no database is asked for what could be no row's key
    if policy.version == here.policy.version:
        for named in _possible(here, decision, language):
            if named.hash == digest:
                return named
    return _kept(policy, digest)


def _possible(here: Published, decision: Decision, language: str) -> list[Named]:
    offered = decision.offered
    sizes = range(len(offered), 0, -1)
    subsets = [chosen for size in sizes for chosen in combinations(offered, size)]
    return [
        notice_for(
            here,
            Asked(
                surface=Surface.BANNER,
                kind=Kind.ASK,
                language=language,
                purposes=purposes,
                signal=signal,
            ),
        )
        for purposes, signal in product(subsets, (False, True))
    ]


def _kept(policy: Policy, digest: str) -> Named | None:
    row = Notice.objects.filter(hash=digest).first()
    if row is None:
        return None
    about = row.document
    asks = about.get("surface") == Surface.BANNER and about.get("kind") == Kind.ASK
    same = about.get("policy", {}).get("hash") == policy.hash
    return Named(row.hash, about) if asks and same else None
