"""The log over HTTP: signed heads and hashes for anybody, and never a record.

What is served is read and checked by another implementation of the C2SP formats, which
shares no code with this one.
"""

import uuid
from typing import Any

import aics_tlog
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings
from pytest_django.live_server_helper import LiveServer

from consent import keys, ledger, publication
from consent.models import Entry, Leaf, Site
from tests.logs import another_site, leaf_hashes, write
from tests.visits import ALL, choose


@pytest.fixture
def anybody(site: Site) -> Client:
    """Somebody who looks at a log of some 600 entries, and has no account."""
    write(site, 600)
    ledger.seal(site=site)
    return Client()


def text(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, url
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    return response.content.decode()


def test_a_checkpoint_is_verified_by_an_independent_implementation(
    anybody: Client,
) -> None:
    note = aics_tlog.parse_note(text(anybody, "/log/default/checkpoint"))
    key = aics_tlog.parse_vkey(text(anybody, "/log/default/key").strip())
    result = aics_tlog.verify_checkpoint(
        note, key, expected_origin="127.0.0.1/log/default"
    )
    assert result.ok, result.error
    checkpoint = aics_tlog.parse_checkpoint(note.text)
    assert checkpoint.size == Entry.objects.count()
    other = Ed25519PrivateKey.generate().public_key()
    stranger = aics_tlog.vkey_from_ed25519(key.name, other)
    assert not aics_tlog.verify_checkpoint(note, stranger).ok


def test_every_tile_is_audited_over_http_by_an_independent_implementation(
    live_server: LiveServer, anybody: Client
) -> None:
    reader = aics_tlog.HttpTileReader(f"{live_server.url}/log/default/", proxies={})
    note = aics_tlog.parse_note(reader.read_checkpoint().decode())
    head = aics_tlog.parse_checkpoint(note.text)
    report = aics_tlog.audit_tiles(reader, head.size, head.root, entries=False)
    assert (report.size, report.tiles) == (Entry.objects.count(), 4)
    place, hashes = 300, leaf_hashes(Site.objects.get())
    proof = aics_tlog.inclusion_proof_from_tiles(reader, place, head.size)
    assert aics_tlog.verify_inclusion(hashes[place], place, head.size, proof, head.root)
    ours = ledger.log_part(
        site=Site.objects.get(), entry=Leaf.objects.get(index=place).entry_id
    )
    assert [digest.hex() for digest in proof] == ours["inclusion_proof"]


def test_two_heads_are_found_consistent_by_an_independent_implementation(
    live_server: LiveServer, anybody: Client
) -> None:
    old = aics_tlog.parse_checkpoint(
        aics_tlog.parse_note(text(anybody, "/log/default/checkpoint")).text
    )
    site = Site.objects.get()
    write(site, 100, first=5000)
    ledger.seal(site=site)
    reader = aics_tlog.HttpTileReader(f"{live_server.url}/log/default/", proxies={})
    new = aics_tlog.parse_checkpoint(
        aics_tlog.parse_note(reader.read_checkpoint().decode()).text
    )
    theirs = aics_tlog.consistency_proof_from_tiles(reader, old.size, new.size)
    ours = ledger.consistency_between(
        site=site, log=1, old_size=old.size, size=new.size
    )
    assert theirs == ours
    for proof in (theirs, ours):
        assert aics_tlog.verify_consistency(
            old.size, new.size, old.root, new.root, proof
        )


def test_a_receipts_proof_is_verified_by_an_independent_implementation(
    parisian: Client, anybody: Client
) -> None:
    number = choose(parisian, ALL)["receipt"]["id"]
    site = Site.objects.get()
    ledger.seal(site=site)
    part = ledger.log_part(site=site, entry=uuid.UUID(number))
    head = aics_tlog.parse_checkpoint(aics_tlog.parse_note(part["checkpoint"]).text)
    assert part["tree_size"] == head.size
    record = Entry.objects.get(pk=number).content.canonical.encode()
    proof = [bytes.fromhex(digest) for digest in part["inclusion_proof"]]
    place = part["index"]
    checked = aics_tlog.verify_leaf_inclusion
    assert checked(record, place, head.size, proof, head.root)
    edited = record.replace(b"true", b"false")
    assert edited != record
    assert not checked(edited, place, head.size, proof, head.root)
    assert not checked(record, place - 1, head.size, proof, head.root)


def test_heads_are_cached_for_five_seconds_and_hashes_for_ever(anybody: Client) -> None:
    head = anybody.get("/log/default/checkpoint")
    assert head["Cache-Control"] == "public, max-age=5"
    for path in ("tile/0/000", "tile/0/002.p/80", "tile/1/000.p/2"):
        tile = anybody.get(f"/log/default/{path}")
        assert tile.status_code == 200, path
        assert tile["Content-Type"] == "application/octet-stream"
        assert tile["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Cookie" not in tile.get("Vary", "")
        assert not tile.cookies


@pytest.mark.parametrize(
    "path",
    [
        *("tile/entries/000", "tile/entries/000.p/5", "tile/0/003", "tile/0/002"),
        *("tile/0/002.p/255", "tile/0/002.p/0", "tile/0/002.p/256", "tile/2/000"),
        *("tile/0/0", "tile/0/x000/001", "tile/-1/000", "tile/64/000", "tile/"),
        *("tile/0/000/../001", "tile/0/000.p/080", "tile/0/999999999999999999999"),
    ],
)
def test_what_is_no_tile_is_not_found(anybody: Client, path: str) -> None:
    response = anybody.get(f"/log/default/{path}")
    assert response.status_code == 404
    assert "immutable" not in response["Cache-Control"]


def test_partial_tiles_are_what_the_whole_one_begins_with(anybody: Client) -> None:
    whole = anybody.get("/log/default/tile/0/000").content
    assert len(whole) == 256 * 32
    assert whole == b"".join(leaf_hashes(Site.objects.get())[:256])
    for width in (1, 100, 255):
        part = anybody.get(f"/log/default/tile/0/000.p/{width}").content
        assert part == whole[: width * 32]


def test_a_log_is_served_on_its_own_sites_hosts_alone(
    anybody: Client, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    shop = another_site()
    write(shop, 2)
    ledger.seal(site=shop)
    publication.forget()
    for name in ("checkpoint", "key", "tile/0/000.p/2"):
        assert anybody.get(f"/log/shop/{name}").status_code == 404
        own = anybody.get(f"/log/shop/{name}", headers={"Host": "shop.example.org"})
        assert own.status_code == 200
    assert "shop" not in text(anybody, "/keys")


def test_a_host_of_no_site_is_shown_no_log(anybody: Client, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    write(another_site(), 1)
    for url in ("/log/default/checkpoint", "/log/shop/checkpoint", "/keys"):
        response = anybody.get(url, headers={"Host": "stranger.example.org"})
        assert response.status_code == 404
        assert b"log/default" not in response.content


def test_a_site_that_sealed_nothing_has_no_log(site: Site) -> None:
    for name in ("checkpoint", "key", "tile/0/000"):
        assert Client().get(f"/log/default/{name}").status_code == 404
    assert text(Client(), "/keys") == ""


def test_all_keys_are_listed_newest_first(
    anybody: Client, parisian: Client, settings: Settings
) -> None:
    old = text(anybody, "/log/default/key")
    settings.CONSENT_SIGNING_KEY = keys.new_key()
    choose(parisian, ALL)
    assert text(anybody, "/log/default/key") == old  # which signed the newest head
    ledger.seal(site=Site.objects.get())
    new = text(anybody, "/log/default/key")
    assert new != old
    assert text(anybody, "/keys") == new + old
    assert text(anybody, "/keys").count("\n") == 2


def test_a_closed_log_stays_where_it_was_and_names_the_one_that_goes_on(
    anybody: Client,
) -> None:
    site = Site.objects.get()
    before = text(anybody, "/log/default/checkpoint")
    tile = anybody.get("/log/default/tile/0/000").content
    ledger.open_log(site=site, number=2, at=Entry.objects.latest("time").time)
    write(site, 1, first=9000)
    ledger.seal(site=site)
    closed = anybody.get("/log/default/checkpoint")
    assert closed.content.decode() == before
    assert closed["Link"] == '</log/default/2/checkpoint>; rel="latest-version"'
    assert anybody.get("/log/default/tile/0/000").content == tile
    now = text(anybody, "/log/default/2/checkpoint")
    assert now.splitlines()[:2] == ["127.0.0.1/log/default/2", "1"]
    assert "Link" not in anybody.get("/log/default/2/checkpoint")
    origins = [line.split("+")[0] for line in text(anybody, "/keys").splitlines()]
    assert origins == ["127.0.0.1/log/default/2", "127.0.0.1/log/default"]


@pytest.mark.parametrize("path", ["checkpoint", "key", "tile/0/000", "tile/0/002.p/9"])
def test_the_log_is_read_by_any_page_and_written_by_none(
    anybody: Client, path: str
) -> None:
    url = f"/log/default/{path}"
    assert anybody.get(url)["Access-Control-Allow-Origin"] == "*"
    assert anybody.head(url).status_code == 200
    for method in (anybody.post, anybody.put, anybody.delete):
        assert method(url).status_code == 405


def test_a_tile_costs_a_handful_of_queries(
    anybody: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for path in ("tile/0/000", "tile/0/002.p/9", "tile/1/000.p/2", "checkpoint"):
        anybody.get("/")
        with django_assert_max_num_queries(4):
            anybody.get(f"/log/default/{path}")


def test_nothing_of_a_record_can_be_read_from_the_log(
    parisian: Client, anybody: Client
) -> None:
    made: Any = choose(parisian, ALL)["receipt"]
    ledger.seal(site=Site.objects.get())
    size = Entry.objects.count()
    served = b"".join(
        anybody.get(f"/log/default/{path}").content
        for path in ("checkpoint", "key", "tile/0/000", f"tile/0/002.p/{size - 512}")
    )
    assert bytes.fromhex(made["leaf_hash"]) in served
    for secret in (made["id"], made["opening"]["visitor"], "analytics"):
        assert secret.encode() not in served
