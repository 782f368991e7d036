"""/consent.js and /consent.css: the same bytes for every page of every origin."""

import gzip
import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as loaded
from django.contrib.staticfiles import finders
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from consent import notices
from consent.models import Site
from tests.visits import ALL, choose, rows

FILES = {
    "/consent.js": "text/javascript; charset=utf-8",
    "/consent.css": "text/css; charset=utf-8",
}
each = pytest.mark.parametrize("address", FILES)


def source(address: str) -> bytes:
    """The file itself."""
    return Path(finders.find(f"consent/{LIES[address]}")).read_bytes()


def get(browser: Client, address: str, **headers: str) -> Any:
    return browser.get(address, headers=headers)


def cached(response: Any) -> set[str]:
    return {word.strip() for word in response["Cache-Control"].split(",")}


# What is served under an address: of the script, what was made of its source.
LIES = {"/consent.js": "consent.min.js", "/consent.css": "consent.min.css"}


@each
def test_the_file_is_served_as_it_lies_there(address: str, parisian: Client) -> None:
    response = get(parisian, address)
    assert response.status_code == 200
    assert response["Content-Type"] == FILES[address]
    assert response.content == source(address)
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response["X-Content-Type-Options"] == "nosniff"


@each
def test_the_file_may_be_kept_for_five_minutes_by_anybody(
    address: str, parisian: Client
) -> None:
    response = get(parisian, address)
    assert cached(response) == {"public", "max-age=300"}
    digest = hashlib.sha256(source(address)).hexdigest()
    assert response["ETag"] == f'"{digest}"'


@each
def test_who_has_it_already_is_told_so_without_a_body(
    address: str, parisian: Client
) -> None:
    tag = get(parisian, address)["ETag"]
    for said in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        response = get(parisian, address, **{"if-none-match": said})
        assert response.status_code == 304, said
        assert response.content == b""
        assert response["ETag"] == tag
        assert cached(response) == {"public", "max-age=300"}
        assert "Cookie" not in response.get("Vary", "")


@each
def test_who_has_an_older_one_gets_the_file(address: str, parisian: Client) -> None:
    response = get(parisian, address, **{"if-none-match": '"older"'})
    assert response.status_code == 200
    assert response.content == source(address)


@each
def test_a_browser_that_unpacks_gets_the_same_file_packed(
    address: str, parisian: Client
) -> None:
    plain = get(parisian, address)
    packed = get(parisian, address, **{"accept-encoding": "br, gzip;q=0.8"})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == source(address)
    assert packed["ETag"] != plain["ETag"]
    for response in (plain, packed):
        assert response["Vary"] == "Accept-Encoding"
        assert cached(response) == {"public", "max-age=300"}
    assert "Content-Encoding" not in plain
    headers = {"accept-encoding": "gzip", "if-none-match": packed["ETag"]}
    assert get(parisian, address, **headers).status_code == 304
    headers = {"if-none-match": packed["ETag"]}
    assert get(parisian, address, **headers).status_code == 200


@each
def test_head_is_answered_like_get(address: str, parisian: Client) -> None:
    response = parisian.head(address)
    assert response.status_code == 200
    assert response.content == b""
    assert response["Content-Type"] == FILES[address]
    assert response["ETag"] == get(parisian, address)["ETag"]


@each
@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_nothing_else_can_be_done_with_it(
    address: str, method: str, parisian: Client
) -> None:
    before = rows()
    response = getattr(parisian, method)(address)
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD"
    assert not response.cookies
    assert rows() == before


@each
def test_everybody_gets_the_same_and_no_cookie(
    address: str,
    parisian: Client,
    californian: Client,
    ada: Any,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    choose(parisian, ALL)
    californian.force_login(ada)
    bodies = set()
    for browser in (parisian, californian, Client()):
        for language in ("de", "ja", ""):
            with django_assert_num_queries(0):
                response = get(browser, address, **{"accept-language": language})
            assert response.status_code == 200
            assert not response.cookies
            assert "cookie" not in response.get("Vary", "").lower()
            bodies.add(response.content)
    assert len(bodies) == 1


@each
def test_it_needs_no_site_and_no_database_row(
    address: str, db: None, settings: Settings
) -> None:
    assert not Site.objects.exists()
    assert get(Client(), address).status_code == 200


@each
def test_a_changed_file_is_served_at_once_under_another_tag(
    address: str, parisian: Client, tmp_path: Path, settings: Settings
) -> None:
    before = get(parisian, address)["ETag"]
    folder = tmp_path / "static" / "consent"
    folder.mkdir(parents=True)
    (folder / LIES[address]).write_bytes(b"/* changed */")
    settings.STATIC_ROOT = tmp_path / "static"
    notices.forget()
    response = get(parisian, address, **{"if-none-match": before})
    assert response.status_code == 200
    assert response.content == b"/* changed */"
    assert response["ETag"] != before


@pytest.mark.parametrize(
    "name", ["consent.d.ts", "pages.css", "consent.min.js", "a.js"]
)
def test_no_other_file_is_served_beside_them(name: str, parisian: Client) -> None:
    assert get(parisian, f"/{name}").status_code == 404


def test_they_are_where_the_script_looks_for_its_server(site: Site) -> None:
    assert loaded.STATIC_URL == "/static/"
    page = Client().get("/").content.decode()
    assert 'data-base="/"' in page
