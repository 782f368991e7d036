"""When somebody is asked: never for a choice, and no more often than is of use."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from pytest_django import Settings

from consent import anchors, ledger
from consent.anchors import posting
from consent.models import Checkpoint, Site
from tests.anchors.asking import sealed
from tests.anchors.authority import Authority
from tests.anchors.servers import silent
from tests.visits import ALL, NONE, choose

type Start = Callable[..., Authority]

# --- choices -------------------------------------------------------------------------


def test_a_choice_asks_nobody(
    site: Site,
    parisian: Client,
    authority: Start,
    django_capture_on_commit_callbacks: Any,
) -> None:
    stamps = authority()
    connection.run_on_commit.clear()  # what publishing the policy left to be done
    with django_capture_on_commit_callbacks(execute=True):
        choose(parisian, ALL)
    assert ledger.newest_checkpoint(site=site, log=1) is not None
    assert stamps.asked == []


@pytest.mark.django_db(transaction=True)
def test_people_choose_while_an_authority_hangs(
    site: Site,
    parisian: Client,
    checkpoint: Checkpoint,
    believe: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(posting, "TIMEOUT_SECONDS", 60)
    outcomes: list[anchors.Outcome] = []

    def ask() -> None:
        outcomes.extend(anchors.anchor(site, datetime.now(UTC)))
        BaseDatabaseWrapper.close(connection)  # SQLite's own leaves it open in memory

    with silent() as (url, connected):
        believe(Authority().pem, url)
        thread = threading.Thread(target=ask)
        thread.start()
        assert connected.wait(30)
        receipt = choose(parisian, NONE)["receipt"]
        newer = ledger.newest_checkpoint(site=site, log=1)
        assert thread.is_alive()
    thread.join(30)
    assert receipt
    assert newer is not None
    assert newer.tree_size > checkpoint.tree_size
    assert [outcome.time for outcome in outcomes] == [None]


# --- when ----------------------------------------------------------------------------


def test_somebody_is_asked_once_in_an_hour_and_only_about_what_is_new(
    site: Site, checkpoint: Checkpoint, parisian: Client, authority: Start
) -> None:
    now, hour = datetime.now(UTC), timedelta(hours=1)
    assert not anchors.due(site, now)  # nobody is named yet
    authority()
    assert anchors.due(site, now)
    assert anchors.anchor(site, now)
    choose(parisian, NONE)
    sealed(site)
    assert not anchors.due(site, now + hour - timedelta(seconds=2))
    anchors.forget()  # as another process, which sees what stands in the database
    assert not anchors.due(site, now + hour - timedelta(seconds=2))
    assert anchors.due(site, now + hour + timedelta(seconds=2))
    assert anchors.anchor(site, now)
    assert not anchors.due(site, now + 9 * hour)


def test_a_failure_is_not_repeated_at_once(
    site: Site, checkpoint: Checkpoint, authority: Start, settings: Settings
) -> None:
    now = datetime.now(UTC)
    authority(status=2)
    assert anchors.anchor(site, now)
    assert not anchors.due(site, now + timedelta(minutes=59))
    assert anchors.due(site, now + timedelta(minutes=60))
    settings.CONSENT_ANCHOR_SECONDS = 0
    assert not anchors.due(site, now + timedelta(days=60))


# --- the command ---------------------------------------------------------------------


def test_the_command_tells_what_came_of_it(
    site: Site, checkpoint: Checkpoint, authority: Start, capsys: Any
) -> None:
    authority()
    call_command("anchor_ledger")
    size = checkpoint.tree_size
    said = f"{site.slug}: {size} entries, timestamp by 127.0.0.1, "
    assert said in capsys.readouterr().out
    call_command("anchor_ledger", site=site.slug)
    assert "nobody is left to ask" in capsys.readouterr().out


def test_the_command_fails_where_somebody_did_not_answer(
    site: Site, checkpoint: Checkpoint, authority: Start, capsys: Any
) -> None:
    with pytest.raises(CommandError, match="CONSENT_WITNESSES"):
        call_command("anchor_ledger")
    authority(status=2)
    with pytest.raises(CommandError, match=f"everybody: {site.slug}"):
        call_command("anchor_ledger")
    assert f"{site.slug}, 127.0.0.1: It grants no" in capsys.readouterr().err
    with pytest.raises(CommandError, match="no site elsewhere"):
        call_command("anchor_ledger", site="elsewhere")
