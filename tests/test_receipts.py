"""Receipts by their number: for programs, for people, and in the words of standards."""

import json
import re
import shlex
import subprocess
import sys
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from consent import keys, ledger, publication
from consent.audit.pack import verify_evidence
from consent.core.merkle import verify_inclusion
from consent.core.record import Act
from consent.core.signed_note import parse_checkpoint, parse_note, parse_verifier_key
from consent.models import Content, Entry, Link, Notice, Removal, Site
from tests.conftest import NOON, NewVisitor
from tests.logs import another_site, write
from tests.test_api_decision import assert_problem
from tests.visits import ALL, NONE, choose, post_form, sign_in

VERIFIER = Path(verify_evidence.__file__)
FILES = ["receipt.json", "iso-27560.json", "receipt.jsonld"]


def number_of(browser: Client, purposes: dict[str, bool] = ALL, **members: Any) -> str:
    chosen: str = choose(browser, purposes, **members)["receipt"]["id"]
    return chosen


def api(browser: Client, number: str) -> dict[str, Any]:
    response = browser.get(f"/api/v1/receipts/{number}")
    assert response.status_code == 200, response.content
    return response.json()


def page(browser: Client, number: str) -> str:
    response = browser.get(f"/receipts/{number}/")
    assert response.status_code == 200, response.content
    return response.content.decode()


def file(browser: Client, number: str, name: str) -> dict[str, Any]:
    response = browser.get(f"/receipts/{number}/{name}")
    assert response.status_code == 200, response.content
    return json.loads(response.content)


def remove(site: Site, number: str, reason: str) -> None:
    """What an erasure or a retention run leaves behind."""
    act = Act(
        id=ledger.new_id(),
        site=site.slug,
        time=NOON,
        act="erased" if reason == "erasure" else "retention_run",
        subject=None,
        detail={"entries": 1},
    )
    said = ledger.append(site=site, entry=act, owner=None)
    entry = Entry.objects.get(pk=number)
    Removal.objects.create(
        site=site, entry=entry, reason=reason, act_id=said.id, time=NOON
    )
    Link.objects.filter(pk=entry.pk, site=site).delete()
    if reason == "retention":
        Content.objects.filter(pk=entry.pk, site=site).delete()


# --- the document --------------------------------------------------------------------


def test_a_receipt_has_no_place_in_the_log_until_it_is_sealed(
    parisian: Client, site: Site
) -> None:
    number = number_of(parisian)
    assert api(parisian, number)["log"] is None
    ledger.seal(site=site)
    assert set(api(parisian, number)["log"]) == {
        *("index", "tree_size", "inclusion_proof", "checkpoint"),
    }


def test_the_proof_of_a_sealed_receipt_leads_to_its_checkpoint(
    parisian: Client, site: Site
) -> None:
    number = number_of(parisian)
    write(site, 300)
    ledger.seal(site=site)
    receipt = api(parisian, number)
    log = receipt["log"]
    head = parse_checkpoint(parse_note(log["checkpoint"]).text)
    assert head.size == log["tree_size"] == Entry.objects.count()
    assert verify_inclusion(
        index=log["index"],
        size=log["tree_size"],
        leaf=bytes.fromhex(receipt["leaf_hash"]),
        proof=[bytes.fromhex(digest) for digest in log["inclusion_proof"]],
        root=head.root,
    )


def test_whoever_has_the_number_alone_is_not_told_whose_it_is(
    parisian: Client, visitor: NewVisitor
) -> None:
    own = choose(parisian, ALL)["receipt"]
    stranger = visitor()
    assert "opening" not in api(stranger, own["id"])
    assert "opening" not in file(stranger, own["id"], "receipt.json")
    assert own["opening"]["visitor"] not in page(stranger, own["id"])
    (told,) = parisian.get("/api/v1/history").json()["records"]
    assert told["opening"] == own["opening"]


@pytest.mark.parametrize(
    ("reason", "gone"), [("erasure", "erased"), ("retention", "retention")]
)
def test_what_was_removed_is_gone_and_its_place_stays(
    parisian: Client, site: Site, reason: str, gone: str
) -> None:
    number = number_of(parisian)
    before = api(parisian, number)
    remove(site, number, reason)
    ledger.seal(site=site)
    after = api(parisian, number)
    assert (after["record"], after["canonical"], after["gone"]) == (None, None, gone)
    for same in ("id", "site", "leaf_hash", "key_id", "signature"):
        assert after[same] == before[same]
    assert after["log"]["tree_size"] == Entry.objects.count()


def test_an_erasure_says_more_than_the_retention_after_it(
    parisian: Client, site: Site
) -> None:
    number = number_of(parisian)
    remove(site, number, "erasure")
    remove(site, number, "retention")
    assert api(parisian, number)["gone"] == "erased"


@pytest.mark.parametrize("path", ["/api/v1/receipts/{}", "/receipts/{}/"])
@pytest.mark.parametrize("number", ["0" * 32, "nothing", "an act"])
def test_a_number_that_is_no_receipt_here_is_unknown(
    parisian: Client, site: Site, path: str, number: str
) -> None:
    if number == "an act":
        number = Content.objects.filter(kind="act")[0].pk.hex
    response = parisian.get(path.format(number))
    assert response.status_code == 404
    assert response["X-Robots-Tag"] == "noindex"
    if path.startswith("/api"):
        assert_problem(response, 404, "unknown_receipt")


@pytest.mark.parametrize("path", ["/api/v1/receipts/{}", "/receipts/{}/"])
def test_another_site_knows_nothing_of_a_receipt(
    parisian: Client, settings: Settings, path: str
) -> None:
    number = number_of(parisian)
    settings.ALLOWED_HOSTS = ["*"]
    another_site(hosts=["shop.example.org"])
    publication.forget()
    elsewhere = Client(headers={"host": "shop.example.org"})
    assert elsewhere.get(path.format(number)).status_code == 404
    assert parisian.get(path.format(number)).status_code == 200


# --- the page ------------------------------------------------------------------------


def test_the_page_tells_what_was_answered_in_plain_words(
    parisian: Client, noon: object
) -> None:
    number = number_of(parisian, {"functional": True, "marketing": False})
    told = re.sub(r"\s+", " ", page(parisian, number))
    assert number in told
    assert "<dt>Functional</dt><dd>Yes</dd>" in told
    assert "<dt>Marketing</dt><dd>No</dd>" in told
    assert "<strong>Allowed some</strong> · preference page" in told
    assert '<time datetime="2026-11-23T12:00:00.000Z">' in told
    assert '<time datetime="2027-05-22T12:00:00.000Z">' in told
    assert "<code>FR</code> France · ask first" in told
    assert "Harbour Bakery Ltd, 1 Quay Street, Exampletown" in told
    assert "<dt>Policy version</dt><dd>1 <code>sha256:" in told


def test_a_service_that_was_answered_alone_is_told_too(parisian: Client) -> None:
    number = number_of(parisian, ALL, services={"video": False, "chat": True})
    told = page(parisian, number)
    assert "<dt>Video player</dt><dd>No</dd>" in told
    assert "<dt>Oven Chat</dt>" not in told


def test_the_page_of_a_sealed_receipt_leads_from_its_hash_to_the_root(
    parisian: Client, site: Site
) -> None:
    number = number_of(parisian)
    assert "waits for its place in the log" in page(parisian, number)
    write(site, 5)
    ledger.seal(site=site)
    told = page(parisian, number)
    receipt = api(parisian, number)
    head = parse_checkpoint(parse_note(receipt["log"]["checkpoint"]).text)
    hashes = re.findall(r"<code>([0-9a-f]{64})</code>", told)
    assert hashes[0] == receipt["leaf_hash"]
    assert hashes[-2:] == [head.root.hex()] * 2
    assert [h for h in receipt["log"]["inclusion_proof"] if h not in hashes] == []
    assert head.origin in told


def test_the_page_says_what_is_proved_and_what_is_not(parisian: Client) -> None:
    told = page(parisian, number_of(parisian))
    assert "Never: that every click was recorded." in told
    assert "unchanged since any checkpoint or receipt" in told
    assert "With anchors: it existed before the anchor" in told


@pytest.mark.parametrize("path", ["", *FILES, "notice/"])
def test_nothing_of_a_receipt_is_stored_indexed_or_told_to_others(
    parisian: Client, path: str
) -> None:
    own = choose(parisian, ALL, surface="banner")["receipt"]
    response = parisian.get(f"/receipts/{own['id']}/{path}")
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert response["X-Robots-Tag"] == "noindex"
    assert response["Referrer-Policy"] == "no-referrer"
    headers = " ".join(f"{k}: {v}" for k, v in response.headers.items())
    for secret in (own["id"], own["record"]["visitor"], own["opening"]["visitor"]):
        assert secret not in headers
    assert not response.cookies


def test_no_link_of_the_page_carries_the_number_to_another_page(
    californian: Client,
) -> None:
    number = number_of(californian)
    addresses = re.findall(r'(?:href|action)="([^"]*)"', page(californian, number))
    assert any("privacy-choices" in address for address in addresses)
    carrying = [address for address in addresses if number in address]
    assert carrying
    assert all(address.startswith(f"/receipts/{number}/") for address in carrying)


def test_the_page_works_in_the_language_of_the_reader(parisian: Client) -> None:
    number = number_of(parisian)
    response = parisian.get(f"/receipts/{number}/", headers={"Accept-Language": "fr"})
    assert '<html lang="fr"' in response.content.decode()


def test_the_page_asks_for_no_script(parisian: Client) -> None:
    assert "<script" not in page(parisian, number_of(parisian))


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_a_receipt_can_only_be_read(parisian: Client, method: str) -> None:
    response = getattr(parisian, method)(f"/receipts/{number_of(parisian)}/")
    assert response.status_code == 405


@pytest.mark.parametrize(
    ("reason", "words"),
    [("erasure", "This record was erased."), ("retention", "no longer kept")],
)
def test_the_page_of_what_is_gone_says_so_and_shows_nothing_else(
    parisian: Client, site: Site, reason: str, words: str
) -> None:
    number = number_of(parisian, surface="banner")
    remove(site, number, reason)
    ledger.seal(site=site)
    told = page(parisian, number)
    assert words in told
    assert "What was answered" not in told
    assert "SHA-256" in told
    assert file(parisian, number, "receipt.json")["record"] is None
    for name in ("iso-27560.json", "receipt.jsonld", "notice/"):
        response = parisian.get(f"/receipts/{number}/{name}")
        assert response.status_code == 410
        assert response["Referrer-Policy"] == "no-referrer"


# --- the notice ----------------------------------------------------------------------


def test_the_notice_opens_as_it_was_shown_and_can_do_nothing(parisian: Client) -> None:
    number = number_of(parisian, surface="banner")
    response = parisian.get(f"/receipts/{number}/notice/")
    assert response["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    )
    shown = Notice.objects.get(hash=api(parisian, number)["record"]["notice"]["hash"])
    assert shown.document["accept"] in response.content.decode()
    assert shown.hash in response.content.decode()


def test_where_another_program_asked_there_is_no_notice_of_ours(
    parisian: Client,
) -> None:
    number = number_of(parisian, surface="api")
    assert parisian.get(f"/receipts/{number}/notice/").status_code == 404
    assert "No notice of ours was shown for it." in page(parisian, number)


# --- the downloads -------------------------------------------------------------------


def test_a_downloaded_receipt_verifies_offline_on_its_own(
    parisian: Client, site: Site, tmp_path: Path
) -> None:
    number = number_of(parisian)
    write(site, 20)
    ledger.seal(site=site)
    response = parisian.get(f"/receipts/{number}/receipt.json")
    assert response["Content-Disposition"] == 'attachment; filename="receipt.json"'
    (tmp_path / "receipt.json").write_bytes(response.content)
    run = subprocess.run(
        [sys.executable, "-I", str(VERIFIER), "receipt.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "granted; entry" in run.stdout


def test_the_command_on_the_page_verifies_what_a_retired_key_signed(
    parisian: Client, site: Site, settings: Settings, tmp_path: Path
) -> None:
    number = number_of(parisian)
    ledger.seal(site=site)
    settings.CONSENT_SIGNING_KEY = keys.new_key()
    ledger.forget()
    publication.forget()
    number_of(parisian, {"analytics": True})
    ledger.seal(site=site)
    response = parisian.get(f"/receipts/{number}/receipt.json")
    (tmp_path / "receipt.json").write_bytes(response.content)
    (printed,) = re.findall(
        r"<code>python3 verify_evidence.py (.*?)</code>", page(parisian, number)
    )
    words = shlex.split(unescape(printed))
    assert words.count("--key") == 2
    run = subprocess.run(
        [sys.executable, "-I", str(VERIFIER), *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "own word" not in run.stdout


def test_a_downloaded_receipt_brings_the_keys_that_the_site_publishes(
    parisian: Client, site: Site
) -> None:
    number = number_of(parisian)
    early = file(parisian, number, "receipt.json")
    ledger.seal(site=site)
    late = file(parisian, number, "receipt.json")
    published = parisian.get(f"/log/{site.slug}/key").content.decode().strip()
    assert early["keys"] == late["keys"] == [published]
    assert {**late, "log": None} == early
    assert parse_verifier_key(published).name in late["log"]["checkpoint"]


def test_the_other_downloads_tell_the_record_in_the_words_of_standards(
    parisian: Client, settings: Settings, noon: object
) -> None:
    settings.CONSENT_RETENTION_DAYS = 400
    number = number_of(parisian, {"functional": True}, language="fr")
    iso = file(parisian, number, "iso-27560.json")
    assert iso["pii_processing"]["language"] == "fr"
    assert iso["event"][0]["validity_duration"] == "P180D"
    assert iso["consent_extension"]["record_kept_after_it_ended"] == "P400D"
    methods = {p["withdrawal_method"] for p in iso["pii_processing"]["purposes"]}
    assert methods == {"http://testserver/cookie-preferences/"}
    linked = file(parisian, number, "receipt.jsonld")
    assert linked["dpv:hasDataController"]["dpv:hasName"] == "Harbour Bakery Ltd"
    kind = parisian.get(f"/receipts/{number}/receipt.jsonld")["Content-Type"]
    assert kind == "application/ld+json"


def test_a_file_that_nobody_offers_is_not_there(parisian: Client) -> None:
    number = number_of(parisian)
    assert parisian.get(f"/receipts/{number}/receipt.xml").status_code == 404


# --- where the visitor finds it ------------------------------------------------------


def linked(response: Any, number: str) -> bool:
    told = response.content.decode()
    return (
        f'<a href="/receipts/{number}/"><code>{number}</code></a>' in told
        and f'<a href="/receipts/{number}/receipt.json" download>' in told
    )


def newest() -> str:
    found: Content = Content.objects.filter(kind="consent").latest("time")
    return found.pk.hex


def test_the_visitor_sees_the_number_with_its_page_and_its_download(
    parisian: Client,
) -> None:
    there = post_form(parisian, "accept")["Location"]
    assert linked(parisian.get(there), newest())


def test_the_preference_centre_and_the_history_lead_to_the_receipt(
    parisian: Client,
) -> None:
    saved = post_form(
        parisian,
        "save",
        surface="preferences",
        return_to="/cookie-preferences/",
        **{"purpose-functional": "yes"},
    )
    centre = parisian.get(saved["Location"])
    assert linked(centre, newest())
    assert f'<td><a href="/receipts/{newest()}/">' in centre.content.decode()


def test_an_opt_out_leads_to_its_receipt(californian: Client) -> None:
    there = post_form(californian, "", path="/privacy-choices/")["Location"]
    assert linked(californian.get(there), newest())


def test_somebody_signed_in_reads_a_receipt_as_everybody_does(
    parisian: Client, ada: Any, site: Site
) -> None:
    sign_in(parisian, ada)
    number = number_of(parisian)
    told = page(parisian, number)
    assert "Allowed all" in told
    assert str(ada.pk) not in re.findall(r"<dd>(.*?)</dd>", told)
    assert datetime.fromisoformat(api(parisian, number)["record"]["time"])


def test_a_refusal_of_nobody_has_a_receipt_like_any_other(parisian: Client) -> None:
    number = number_of(parisian, NONE)
    assert "Refused all" in page(parisian, number)
    iso = file(parisian, number, "iso-27560.json")
    assert iso["record"]["pii_principal_id"] == "not recorded"
