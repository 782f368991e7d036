"""`manage.py verify_ledger` as a command: its words, its endings, what it is given."""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as loaded
from django.core.management import call_command
from django.core.management.base import CommandError

from consent import keys, ledger
from consent.core.signed_note import verifier_key
from consent.models import Content, Entry, Log, Site
from tests.logs import another_site, write
from tests.tampering import first_wrong, in_spite_of_triggers, verified


@pytest.fixture
def log(site: Site) -> Site:
    """A log of a few acts."""
    write(site, 4)
    ledger.seal(site=site)
    return site


def test_people_are_told_in_plain_words_what_was_verified_and_what_is_proved(
    log: Site,
) -> None:
    told = StringIO()
    call_command("verify_ledger", stdout=told)
    entries = Entry.objects.count()
    assert f"{entries} entries under 1 checkpoints" in told.getvalue()
    assert "Nothing is wrong." in told.getvalue()
    assert "Never: that every click was recorded." in told.getvalue()


def test_somebody_at_a_terminal_sees_how_far_it_is(
    log: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = StringIO()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    call_command("verify_ledger", stdout=StringIO(), stderr=told)
    entries = Entry.objects.count()
    assert f"{entries} of {entries}, " in told.getvalue()
    assert told.getvalue().endswith("0 s left \n")


def test_one_site_can_be_verified_alone(log: Site) -> None:
    other = another_site()
    write(other, 2)
    ledger.seal(site=other)
    with in_spite_of_triggers():
        Content.objects.filter(site=other).update(event="other")
    assert [s["site"] for s in verified("--site", "default")["sites"]] == ["default"]
    assert first_wrong().startswith("shop, log 1, entry 0, receipt ")


def test_a_database_that_cannot_be_read_is_told_apart_from_a_wrong_one(
    tmp_path: Any,
) -> None:
    nowhere = f"sqlite:///{tmp_path}/nowhere/db.sqlite3"
    done = subprocess.run(
        [sys.executable, "manage.py", "verify_ledger"],
        cwd=loaded.BASE_DIR,
        env={**os.environ, "DATABASE_URL": nowhere},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "The database cannot be read" in done.stderr


def test_a_site_that_is_not_there_is_no_success(log: Site) -> None:
    with pytest.raises(CommandError, match="There is no site nowhere") as raised:
        call_command("verify_ledger", "--site", "nowhere")
    assert raised.value.returncode == 2


@pytest.mark.parametrize("word", ["--checkpoint", "--receipt"])
@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"canonical": 1}', "\x00"])
def test_a_file_that_is_neither_is_no_finding(
    log: Site, tmp_path: Path, word: str, content: str
) -> None:
    path = tmp_path / "file"
    path.write_text(content)
    with pytest.raises(CommandError) as raised:
        call_command("verify_ledger", word, str(path))
    assert raised.value.returncode == 2
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("verify_ledger", word, str(tmp_path / "nowhere"))


def test_with_a_key_of_ones_own_no_other_is_believed(log: Site) -> None:
    origin = Log.objects.get().origin
    ours, theirs = keys.signing_key(), keys._parse(keys.new_key(), "")
    verified("--key", verifier_key(name=origin, public=ours.public_bytes))
    other = verifier_key(name=origin, public=theirs.public_bytes)
    assert f"the key {ours.id}, which is not known" in first_wrong("--key", other)


@pytest.mark.parametrize("algorithm", [None, 4])
def test_a_key_that_signs_no_log_is_no_key(log: Site, algorithm: int | None) -> None:
    word = "nonsense"
    if algorithm:
        word = verifier_key(name="w", public=b"0" * 32, algorithm=algorithm)
    with pytest.raises(CommandError, match="--key") as raised:
        call_command("verify_ledger", "--key", word)
    assert raised.value.returncode == 2
