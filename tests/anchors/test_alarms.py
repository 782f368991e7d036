"""Where a witness holds another history than we do, everybody is told loudly."""

import logging
from typing import Any

import pytest
from aics_witness import Witness
from django.test import Client
from pytest_django import Settings

from consent.anchors import cosignatures, outsiders
from consent.anchors.outcome import AnchorError
from consent.models import Anchor, Checkpoint, Leaf, Site, Waiting
from tests.anchors.asking import asked, sealed
from tests.anchors.tampering import forged, tamper, zeroed
from tests.visits import NONE, choose


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("grown", [0, 1])
def test_a_rewritten_log_is_an_alarm(
    site: Site,
    checkpoint: Checkpoint,
    witness: Witness,
    parisian: Client,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    grown: int,
) -> None:
    asked(site)
    settings.CONSENT_SEAL = "worker"
    choose(parisian, NONE)
    size = checkpoint.tree_size
    Leaf.objects.create(site=site, index=size, entry_id=Waiting.objects.get().entry_id)
    tamper(zeroed(0), "DELETE FROM consent_anchor", "DELETE FROM consent_checkpoint")
    forged(site, size=size + grown)
    outcome = asked(site)
    assert outcome.alarm
    assert "rewritten" in outcome.problem
    assert not Anchor.objects.exists()
    assert (logging.ERROR, outcome.sentence) in [
        (record.levelno, record.message) for record in caplog.records
    ]
    assert witness.store.evidence()


def test_a_witness_that_tells_of_another_root_in_the_older_way_is_an_alarm(
    site: Site, checkpoint: Checkpoint, witnessing: Any
) -> None:
    size = f"{checkpoint.tree_size}\n".encode()
    witnessing(lambda _question: (409, {"Content-Type": "text/x.tlog.size"}, size))
    outcome = asked(site)
    assert outcome.alarm
    assert "rewritten" in outcome.problem


@pytest.mark.django_db(transaction=True)
def test_a_database_that_was_put_back_is_an_alarm(
    site: Site, checkpoint: Checkpoint, witness: Witness, parisian: Client
) -> None:
    choose(parisian, NONE)
    newer = sealed(site)
    asked(site)
    tamper(
        "DELETE FROM consent_anchor",
        f"DELETE FROM consent_checkpoint WHERE tree_size = {newer.tree_size}",
    )
    outcome = asked(site)
    assert outcome.alarm
    assert "backup" in outcome.problem
    assert str(newer.tree_size) in outcome.problem


def test_a_newer_checkpoint_that_another_process_had_cosigned_is_no_alarm(
    site: Site, checkpoint: Checkpoint, witness: Witness, parisian: Client
) -> None:
    choose(parisian, NONE)
    sealed(site)
    asked(site)
    (named,) = outsiders.witnesses()
    with pytest.raises(AnchorError, match="meanwhile") as raised:
        cosignatures.cosign(named, checkpoint)
    assert not raised.value.alarm


@pytest.mark.django_db(transaction=True)
def test_a_tree_that_lost_a_leaf_is_an_alarm_and_no_traceback(
    site: Site, checkpoint: Checkpoint, witness: Witness, parisian: Client
) -> None:
    asked(site)
    choose(parisian, NONE)
    sealed(site)
    tamper('DELETE FROM consent_leaf WHERE "index" = 0')
    outcome = asked(site)
    assert outcome.alarm
    assert "broken" in outcome.problem
