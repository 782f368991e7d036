"""Whose records a pack holds: of erased ones, and of accounts by any spelling."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError
from django.test import Client

from consent import ledger, publication
from consent.audit.people import NobodyError, account
from consent.models import Link, Restricted, Site
from consent.models.site import Erasure
from tests.packs import command, files_of
from tests.test_receipts import remove
from tests.visits import ALL, choose, sign_in


@pytest.fixture
def erased(parisian: Client, site: Site) -> str:
    """A record that was erased, and of which nothing was moved out of view."""
    number: str = choose(parisian, ALL)["receipt"]["id"]
    remove(site, number, "erasure")
    ledger.seal(site=site)
    assert not Restricted.objects.exists()
    return number


def test_an_erased_record_is_marked_though_it_was_tied_to_nobody(
    erased: str, tmp_path: Path
) -> None:
    out = tmp_path / "a.zip"
    command(out, "--receipt", erased, "--restricted")
    files = files_of(out)
    assert "RESTRICTED" in files["README.txt"].decode()
    receipt = json.loads(files[f"records/000001-{erased}.json"])
    assert receipt["restricted_at"]
    assert receipt["record"]


def test_of_an_erased_record_whose_content_is_not_shown_no_claim_is_spoken(
    erased: str, tmp_path: Path
) -> None:
    out = tmp_path / "a.zip"
    command(out, "--receipt", erased)
    files = files_of(out)
    assert "RESTRICTED" not in files["README.txt"].decode()
    assert json.loads(files[f"records/000001-{erased}.json"])["gone"] == "erased"


def test_a_site_that_forgets_at_once_shows_nothing_that_was_erased(
    erased: str, site: Site, parisian: Client, tmp_path: Path
) -> None:
    site.erasure = Erasure.AT_ONCE
    site.save()
    publication.forget()
    out = tmp_path / "a.zip"
    with pytest.raises(CommandError, match="forgets at once"):
        command(out, "--receipt", erased, "--restricted")
    assert not out.exists()
    kept = choose(parisian, ALL)["receipt"]["id"]
    ledger.seal(site=site)
    assert "1 records" in command(out, "--receipt", kept, "--restricted")


def fullwidth(digits: str) -> str:
    return "".join(chr(ord(digit) - ord("0") + 0xFF10) for digit in digits)


@pytest.mark.parametrize("deleted", [False, True])
def test_a_key_is_found_as_links_have_it_however_it_is_typed(
    ada: Any, deleted: bool
) -> None:
    key = str(ada.pk)
    if deleted:
        ada.delete()
    for typed in (key, f"0{key}", f"+{key}", f" {key}", fullwidth(key)):
        assert account(typed) == key
        assert account(f"key:{typed}") == key


def test_a_word_that_is_nobodys_stays_a_word(ada: Any) -> None:
    assert account("nobody") == "nobody"
    assert account("key:nobody") == "nobody"
    assert account("ada") == str(ada.pk)


def test_a_name_that_is_the_key_of_a_deleted_account_is_nobodys(
    parisian: Client, ada: Any, bob: Any
) -> None:
    sign_in(parisian, ada)
    choose(parisian, ALL)
    key = str(ada.pk)
    assert Link.objects.filter(user=key).exists()
    ada.delete()
    bob.username = key
    bob.save()
    with pytest.raises(NobodyError, match=f"key:{bob.pk} or key:{key}"):
        account(key)
    assert account(f"key:{key}") == key
    bob.username = f"{key}999"
    bob.save()
    assert account(bob.username) == str(bob.pk), "no account ever had that key"
