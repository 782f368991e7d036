"""What a project's own pages, caches and errors have to do with us: nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.test import Client
from django.urls import clear_url_caches, include, path, reverse
from django.views.decorators.cache import cache_page

from consent.models import Site
from tests.conftest import NewVisitor
from tests.visits import ALL, choose

PARIS = "2a02:cfc0::1"
TAGS = """{% load consent_tags %}<html><head>{% consent_script %}</head>
<body>{% gate "marketing" %}AD RUNS{% endgate %}{% consent_footer %}</body></html>"""
PLAIN = "<html><head></head><body><p>bread</p></body></html>"


@cache_page(60)
def kept(request: HttpRequest) -> HttpResponse:
    template = engines["django"].from_string(TAGS)
    return HttpResponse(template.render({}, request))


def broken(_request: HttpRequest) -> HttpResponse:
    raise IntegrityError("of the project")


def start(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(PLAIN)


urlpatterns = [
    path("kept/", kept),
    path("broken/", broken),
    path("start/", start, name="home"),
    path("prefs/", start, name="settings"),
]


@pytest.fixture
def project(site: Site, settings: Any) -> Iterator[Any]:
    settings.ROOT_URLCONF = __name__
    insertion = "consent.mounting.pages.InsertionMiddleware"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, insertion]
    before = list(urlpatterns)
    clear_url_caches()
    yield settings
    urlpatterns[:] = before
    globals()["urlpatterns"] = before
    clear_url_caches()


def test_a_page_that_a_project_caches_is_still_each_visitors_own(
    project: Any, visitor: NewVisitor
) -> None:
    first, second = visitor(PARIS), visitor(PARIS)
    first.get("/start/")  # mounts
    choose(first, ALL)
    assert "AD RUNS" in first.get("/kept/").content.decode()
    assert "AD RUNS" not in second.get("/kept/").content.decode()


def test_an_error_of_a_project_is_the_projects(
    project: Any, visitor: NewVisitor
) -> None:
    with pytest.raises(IntegrityError, match="of the project"):
        visitor(PARIS).get("/broken/")


def test_names_of_a_projects_addresses_stay_its_own(
    project: Any, visitor: NewVisitor
) -> None:
    browser = visitor(PARIS)
    assert browser.get("/start/").status_code == 200
    assert reverse("home") == "/start/"
    assert reverse("settings") == "/prefs/"
    assert browser.get("/cookie-preferences/").status_code == 200
    assert browser.get("/").status_code == 404  # no page of the demo's


def test_another_list_of_addresses_in_a_request_breaks_no_page(
    project: Any, visitor: NewVisitor
) -> None:
    project.MIDDLEWARE = [f"{__name__}.elsewhere", *project.MIDDLEWARE]
    response = visitor(PARIS).get("/start/")
    assert response.content.decode() == PLAIN


class Alone:
    """A list of addresses without ours, as for another domain."""

    urlpatterns = (path("start/", start),)


def elsewhere(get_response: Any) -> Any:
    def answer(request: HttpRequest) -> HttpResponse:
        request.urlconf = Alone  # type: ignore[attr-defined]
        return get_response(request)

    return answer


def test_the_products_own_addresses_are_mounted_in_any_list(settings: Any) -> None:
    settings.ROOT_URLCONF = "settings.urls"
    assert include("consent.urls")[1] == "consent"


@pytest.mark.parametrize("address", ["/cookie-preferences/", "/privacy-choices/"])
def test_an_address_alone_saves_nothing_and_says_so(
    site: Site, parisian: Client, address: str
) -> None:
    text = parisian.get(f"{address}?cookies=saved").content.decode()
    assert "saved." not in text.split("<main")[1].split("</main>")[0]
