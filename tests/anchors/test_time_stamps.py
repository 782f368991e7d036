"""Time-stamps of checkpoints: good ones are kept, and what is kept can be checked."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.test import Client
from pytest_django import Settings

from consent import anchors
from consent.models import Anchor, Checkpoint, Site
from tests.anchors.asking import asked, sealed
from tests.anchors.authority import Authority
from tests.visits import NONE, choose

OPENSSL = Path(__file__).parents[1] / "data" / "anchors"
type Start = Callable[..., Authority]


def test_the_newest_checkpoint_is_time_stamped_and_the_token_is_kept(
    site: Site, checkpoint: Checkpoint, authority: Start
) -> None:
    clock = checkpoint.time.replace(microsecond=0)
    stamps = authority(clock=lambda: clock)
    outcome = asked(site)
    assert (outcome.problem, outcome.time) == ("", clock)
    anchor = Anchor.objects.get()
    assert (anchor.kind, anchor.name) == ("timestamp", "127.0.0.1")
    assert (anchor.site, anchor.log) == (site, checkpoint.log)
    assert (anchor.tree_size, anchor.time) == (checkpoint.tree_size, clock)
    assert anchors.verify(anchor, checkpoint) is None
    note = hashlib.sha256(checkpoint.note.encode()).digest()
    assert note in stamps.asked[0]


def test_a_checkpoint_is_stamped_once_and_the_next_one_again(
    site: Site, checkpoint: Checkpoint, parisian: Client, authority: Start
) -> None:
    stamps = authority()
    assert asked(site).size == checkpoint.tree_size
    assert anchors.anchor(site, datetime.now(UTC)) == []
    choose(parisian, NONE)
    newer = sealed(site)
    assert asked(site).size == newer.tree_size > checkpoint.tree_size
    assert len(stamps.asked) == Anchor.objects.count() == 2


def test_a_log_without_checkpoint_is_not_asked_about(
    site: Site, authority: Start
) -> None:
    stamps = authority()
    assert anchors.anchor(site, datetime.now(UTC)) == []
    assert stamps.asked == []


def test_a_token_that_openssl_made_is_good_and_of_nothing_else(
    settings: Settings,
) -> None:
    settings.CONSENT_TIMESTAMP_CA = str(OPENSSL / "root.pem")
    note = (OPENSSL / "checkpoint").read_text()
    told = datetime(2026, 11, 24, 1, 49, 58, tzinfo=UTC)
    token = (OPENSSL / "openssl.tsr").read_bytes()
    anchor = Anchor(kind="timestamp", tree_size=3, token=token, time=told)
    assert anchors.verify(anchor, Checkpoint(tree_size=3, note=note)) is None
    other = Checkpoint(tree_size=3, note=note.replace("shop", "shoq"))
    assert "Mismatch" in (anchors.verify(anchor, other) or "")


def test_what_is_wrong_with_a_kept_anchor_is_named(
    site: Site,
    checkpoint: Checkpoint,
    parisian: Client,
    authority: Start,
    settings: Settings,
) -> None:
    authority()
    asked(site)
    anchor = Anchor.objects.get()
    choose(parisian, NONE)
    assert "another checkpoint" in (anchors.verify(anchor, sealed(site)) or "")
    anchor.time += timedelta(seconds=1)
    assert "not of" in (anchors.verify(anchor, checkpoint) or "")
    good = bytes(anchor.token)
    for place in (-1, len(good) // 2):
        token = bytearray(good)
        token[place] ^= 1
        anchor.token = bytes(token)
        assert "no good" in (anchors.verify(anchor, checkpoint) or "")
    anchor.token = good
    settings.CONSENT_TIMESTAMP_CA = ""
    assert "CONSENT_TIMESTAMP_CA" in (anchors.verify(anchor, checkpoint) or "")
    settings.CONSENT_TIMESTAMP_CA = str(OPENSSL / "root.pem")
    assert "no good" in (anchors.verify(anchor, checkpoint) or "")
