"""Co-signatures: an independent witness sees the log grow, and says so."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aics_witness import Witness
from django.test import Client
from pytest_django import Settings

from consent import anchors, ledger
from consent.core.signed_note import signature_line
from consent.models import Anchor, Checkpoint, Leaf, Site
from tests.anchors.asking import NAME, VKEY, asked, believed, cosigned, sealed
from tests.anchors.tampering import tamper
from tests.visits import ALL, NONE, choose


def test_two_checkpoints_are_cosigned_and_served_so(
    site: Site, checkpoint: Checkpoint, witness: Witness, parisian: Client
) -> None:
    address = f"/log/{site.slug}/checkpoint"
    assert not believed(site, parisian.get(address).content.decode())
    for answer in (NONE, ALL):
        outcome = asked(site)
        assert outcome.problem == ""
        newest = ledger.newest_checkpoint(site=site, log=1)
        assert outcome.size == newest.tree_size
        assert believed(site, parisian.get(address).content.decode())
        anchor = Anchor.objects.get(tree_size=newest.tree_size)
        assert (anchor.kind, anchor.name) == ("cosignature", NAME)
        assert anchor.time == outcome.time
        assert anchors.verify(anchor, newest) is None
        assert anchors.anchor(site, datetime.now(UTC)) == []
        choose(parisian, answer)
        sealed(site)
    assert not believed(site, parisian.get(address).content.decode())
    assert Anchor.objects.count() == 2


def test_each_checkpoint_is_shown_to_follow_from_the_one_signed_before(
    site: Site,
    checkpoint: Checkpoint,
    witness: Witness,
    parisian: Client,
    witnessing: Any,
) -> None:
    questions: list[bytes] = []

    def listen(question: bytes) -> tuple[int, dict[str, str], bytes]:
        questions.append(question)
        return 200, {}, witness.add_checkpoint(question)

    witnessing(listen)
    asked(site)
    choose(parisian, NONE)
    sealed(site)
    assert asked(site).problem == ""
    starts = [question.partition(b"\n")[0] for question in questions]
    assert starts == [b"old 0", f"old {checkpoint.tree_size}".encode()]


def test_a_receipt_brings_the_cosigned_checkpoint(
    site: Site, checkpoint: Checkpoint, witness: Witness
) -> None:
    asked(site)
    leaf = Leaf.objects.order_by("-index").first()
    part = ledger.log_part(site=site, entry=leaf.entry_id)
    assert believed(site, part["checkpoint"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("grown", [False, True])
def test_a_witness_that_knows_more_than_we_remember_is_followed(
    site: Site, checkpoint: Checkpoint, witness: Witness, parisian: Client, grown: bool
) -> None:
    asked(site)
    tamper("DELETE FROM consent_anchor")  # as where its answer was lost
    if grown:
        choose(parisian, NONE)
        sealed(site)
    assert asked(site).problem == ""
    assert Anchor.objects.get().tree_size == checkpoint.tree_size + grown


def test_lines_of_others_beside_the_witness_are_left_out(
    site: Site, checkpoint: Checkpoint, witness: Witness, witnessing: Any
) -> None:
    other = signature_line(name="w.example/2", hash=b"hash", signature=b"x" * 2428)
    witnessing(
        lambda question: (200, {}, other.encode() + witness.add_checkpoint(question))
    )
    assert asked(site).problem == ""
    assert believed(site, ledger.with_cosignatures(checkpoint))
    assert "w.example/2" not in ledger.with_cosignatures(checkpoint)


def test_a_retired_witness_is_not_asked_and_still_verified(
    site: Site,
    checkpoint: Checkpoint,
    witness: Witness,
    parisian: Client,
    settings: Settings,
) -> None:
    asked(site)
    anchor = Anchor.objects.get()
    settings.CONSENT_WITNESSES = [{"key": VKEY}]
    assert anchors.verify(anchor, checkpoint) is None
    assert not anchors.anybody_asked()
    choose(parisian, NONE)
    sealed(site)
    assert anchors.anchor(site, datetime.now(UTC)) == []
    settings.CONSENT_WITNESSES = []
    assert f"no key of {NAME}" in (anchors.verify(anchor, checkpoint) or "")


def test_what_is_wrong_with_a_kept_signature_is_named(
    site: Site, checkpoint: Checkpoint, witness: Witness
) -> None:
    asked(site)
    anchor = Anchor.objects.get()
    line = bytes(anchor.token)
    anchor.time += timedelta(seconds=1)
    assert "not of" in (anchors.verify(anchor, checkpoint) or "")
    for token, says in {
        line * 2: "more than one",
        line[:-1]: "signature lines",
        line.replace(b" ", b"  "): "signature lines",
        b"": "did not sign",
        cosigned(checkpoint, size=checkpoint.tree_size + 1): "no good",
    }.items():
        anchor.token = token
        assert says in (anchors.verify(anchor, checkpoint) or ""), token
