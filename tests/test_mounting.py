"""The app in somebody else's project: checks, defaults, a site, pages without tags."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import global_settings
from django.conf import settings as loaded
from django.contrib import admin
from django.core.management.base import CommandError
from django.core.management.sql import emit_post_migrate_signal
from django.db import OperationalError
from django.db.utils import ConnectionHandler
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.template import engines
from django.test import Client
from django.urls import include, path, resolve
from django.utils import translation
from django.views.decorators.http import etag
from pytest_django import DjangoAssertNumQueries, Settings

from consent import keys, publication
from consent.management.demo_site import POLICY
from consent.models import PolicyVersion, Site
from consent.mounting import defaults
from consent.mounting.checks import check_mounting
from consent.mounting.first_site import FURTHER, NEEDED, wrong_in
from consent.mounting.pages import mount
from tests.conftest import NewVisitor
from tests.visits import ALL, NONE, choose, decision

CONSENT = "consent.middleware.ConsentMiddleware"
INSERTION = "consent.mounting.pages.InsertionMiddleware"
LOCALE = "django.middleware.locale.LocaleMiddleware"
USERS = "django.contrib.auth.middleware.AuthenticationMiddleware"
PARIS = "2a02:cfc0::1"
WANTED = {
    "name": "Corner Shop",
    "hosts": ["testserver"],
    "controller_name": "Corner Shop Ltd",
    "controller_address": "2 Corner Street, Exampletown",
    "controller_contact": "privacy@shop.example",
    "privacy_policy_url": "https://shop.example/privacy",
}

# --- the project and its pages --------------------------------------------------------

PAGE = (
    '<!doctype html><html><head><title>Shop</title></head><body class="shop">'
    "<p>bread and naïve cake</p></body></html>"
)
TAGS = (
    "{% load consent_tags %}<!doctype html><html><head>{% consent_script %}</head>"
    "<body>{% consent_banner %}<p>bread</p>{% consent_footer %}</body></html>"
)
# Pages whose place for the banner is not where a hasty look would find it.
ODD = {
    "a body in a script of the head": (
        '<head><script>x = "<body>";</script></head><body><p>bread</p></body>',
        "<body>",
    ),
    "an arrow in an attribute": (
        "<head></head><body data-action=\"click->menu#open\" x='a>b'><p>x</p></body>",
        "<body data-action=\"click->menu#open\" x='a>b'>",
    ),
    "an end in a script of the body": (
        '<head></head><body><p>bread</p><script>x = "</body>";</script></body>',
        "<body>",
    ),
    "capitals and spaces": (
        "<HTML><HEAD></HEAD ><BODY\n CLASS=x ><P>bread</P></BODY ></HTML>",
        "<BODY\n CLASS=x >",
    ),
    "no end": ("<html><head></head><body><p>bread</p>", "<body>"),
    "german": ('<html lang="de"><head></head><body>Brot</body></html>', "<body>"),
    "klingon": ('<html lang="tlh"><head></head><body>tIr</body></html>', "<body>"),
}
ALONE = {
    "json": lambda: JsonResponse({"page": PAGE}),
    "text": lambda: HttpResponse(PAGE, content_type="text/plain"),
    "xhtml as xml": lambda: HttpResponse(PAGE, content_type="application/xml"),
    "streaming": lambda: StreamingHttpResponse([PAGE.encode()]),
    "encoded": lambda: HttpResponse(PAGE, headers={"Content-Encoding": "br"}),
    "no head": lambda: HttpResponse("<html><body><p>bread</p></body></html>"),
    "no body": lambda: HttpResponse("<html><head></head><frameset></frameset></html>"),
    "fragment": lambda: HttpResponse("<p>bread</p>"),
    "empty": lambda: HttpResponse(""),
    "our script": lambda: HttpResponse(
        PAGE.replace(
            "</head>", '<script src="/consent.js" data-consent-script></script></head>'
        )
    ),
    "our collected script": lambda: HttpResponse(
        PAGE.replace(
            "</head>",
            '<script src="/c.0123456789ab.js" data-consent-script></script></head>',
        )
    ),
}


def shop(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE)


def measured(_request: HttpRequest) -> HttpResponse:
    response = HttpResponse(PAGE)
    response["Content-Length"] = str(len(response.content))
    return response


def alone(_request: HttpRequest, kind: str) -> Any:
    return ALONE[kind]()


def odd(_request: HttpRequest, kind: str) -> HttpResponse:
    return HttpResponse(ODD[kind][0])


def latin(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE, content_type="text/html; charset=iso-8859-1")


@etag(lambda *_: '"the same for ever"')
def tagged(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE)


def with_tags(request: HttpRequest) -> HttpResponse:
    return HttpResponse(engines["django"].from_string(TAGS).render({}, request))


def missing(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE, status=404)


urlpatterns = [
    path("shop/", shop),
    path("measured/", measured),
    path("alone/<str:kind>/", alone),
    path("odd/<str:kind>/", odd),
    path("latin/", latin),
    path("tagged/", tagged),
    path("with-tags/", with_tags),
    path("missing/", missing),
    path("admin/", admin.site.urls),
    path("", include("consent.urls")),
]


@pytest.fixture
def project(site: Site, settings: Settings) -> Settings:
    """A project with pages of its own, and with the middleware that inserts."""
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, INSERTION]
    return settings


@pytest.fixture
def shopper(project: Settings, visitor: NewVisitor) -> Client:
    return visitor(PARIS)


def text_of(browser: Client, address: str, status: int = 200) -> str:
    response = browser.get(address)
    assert response.status_code == status
    return response.content.decode(response.charset)


def without_secrets(text: str) -> str:
    return re.sub(r'(name="token" value=")[^"]+', r"\1", text)


# --- what is inserted -----------------------------------------------------------------


def test_a_page_without_tags_gets_what_the_tags_would_print(shopper: Client) -> None:
    text = text_of(shopper, "/shop/")
    head, _, rest = text.partition("</head>")
    assert len(re.findall(r"<script [^>]* data-consent-script", head)) == 1
    assert 'rel="stylesheet" href="/static/consent/consent.min.css"' in head
    body, _, end = rest.partition("<p>bread")
    assert body.startswith('<body class="shop"><section class="consent"')
    assert 'name="answer" value="reject"' in body
    assert 'action="/consent/choice/"' in body
    assert end.index("</p>") < end.index("<footer ")
    assert end.endswith("</footer></body></html>")
    assert text.count('<section class="consent') == text.count("<footer") == 1
    assert "data-consent-script" not in rest


def test_what_was_inserted_works_as_a_form(shopper: Client) -> None:
    text = text_of(shopper, "/shop/")
    (back,) = re.findall(r'name="return_to" value="([^"]*)"', text)
    (token,) = re.findall(r'name="token" value="([^"]*)"', text)
    fields = {"answer": "accept", "return_to": back, "token": token}
    answered = shopper.post("/consent/choice/", fields)
    assert answered.status_code == 303
    assert answered["Location"].startswith("/shop/?")
    assert "You’ve accepted additional cookies." in text_of(
        shopper, answered["Location"]
    )
    assert '<section class="consent' not in text_of(shopper, "/shop/")
    assert decision(shopper)["purposes"]["marketing"] is True


def test_a_page_with_the_banner_is_its_visitors_own(shopper: Client) -> None:
    response = shopper.get("/shop/")
    assert "private" in response["Cache-Control"]
    assert {"Cookie", "Sec-GPC"} <= {n.strip() for n in response["Vary"].split(",")}


def test_a_length_that_was_said_is_the_length(shopper: Client) -> None:
    response = shopper.get("/measured/")
    assert len(response.content) > len(PAGE.encode())
    assert response["Content-Length"] == str(len(response.content))


def test_a_page_about_an_error_is_a_page(shopper: Client) -> None:
    assert '<section class="consent"' in text_of(shopper, "/missing/", 404)


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("mode", ["server", "client"])
def test_an_odd_page_keeps_all_it_had_in_its_order(
    project: Settings, shopper: Client, kind: str, mode: str
) -> None:
    project.CONSENT_INSERT = mode
    source, body = ODD[kind]
    text = text_of(shopper, f"/odd/{kind}/")
    head_end = re.search("</head ?>", source, re.IGNORECASE)
    assert head_end
    before, after = source[: head_end.start()], source[head_end.end() :]
    assert text.startswith(before)
    end = after.rpartition("</body>")[1] or after.rpartition("</BODY >")[1]
    start, _, rest = text.rpartition("<footer")
    assert rest.partition("</footer>")[2] == (after[after.rindex(end) :] if end else "")
    content = after.partition(body)[2]
    content = content[: content.rindex(end)] if end else content
    assert content.strip() in start
    assert text.count("<footer") == 1
    assert text.count(body) == source.count(body)
    if mode == "server":
        assert f'{body}<section class="consent"' in text


def test_a_page_in_another_charset_keeps_its_letters(
    shopper: Client, visitor: NewVisitor
) -> None:
    text = text_of(shopper, "/latin/")
    assert "naïve" in text
    assert '<section class="consent"' in text
    french = visitor(PARIS, **{"accept-language": "fr"})
    response = french.get("/latin/")
    shown = response.content.decode("iso-8859-1")
    assert "Ã" not in shown
    greek = visitor(PARIS, **{"accept-language": "el"})
    assert greek.get("/latin/").status_code == 200


def test_a_tag_of_the_project_does_not_keep_an_old_banner_on_the_page(
    shopper: Client,
) -> None:
    first = shopper.get("/tagged/")
    assert '<section class="consent"' in first.content.decode()
    assert "ETag" not in first
    choose(shopper, NONE)
    again = shopper.get("/tagged/")
    assert again.status_code == 200
    assert '<section class="consent' not in again.content.decode()


# --- what is left alone ---------------------------------------------------------------


@pytest.mark.parametrize("kind", ALONE)
@pytest.mark.parametrize("mode", ["server", "client"])
def test_what_is_no_whole_page_or_has_the_script_is_left_alone(
    project: Settings, shopper: Client, kind: str, mode: str
) -> None:
    project.CONSENT_INSERT = mode
    response = shopper.get(f"/alone/{kind}/")
    original = ALONE[kind]()
    assert _bytes(response) == _bytes(original)
    assert "Cookie" not in response.get("Vary", "")
    assert not response.cookies


def _bytes(response: Any) -> bytes:
    found: bytes = response.getvalue() if response.streaming else response.content
    return found


@pytest.mark.parametrize("address", ["/with-tags/", "/", "/cookie-preferences/"])
def test_a_page_with_tags_gets_nothing_twice(
    shopper: Client, project: Settings, address: str
) -> None:
    text = text_of(shopper, address)
    assert len(re.findall(r"<script [^>]* data-consent-script", text)) == 1
    assert text.count("<footer") == 1
    assert text.count('<section class="consent') <= 1


def test_a_page_with_tags_gets_nothing_twice_where_files_have_versions(
    shopper: Client, project: Settings
) -> None:
    backend = f"{__name__}.Versioned"
    project.STORAGES = {
        **project.STORAGES,
        "staticfiles": {"BACKEND": backend},
    }
    text = text_of(shopper, "/with-tags/")
    assert "/static/consent/consent.min.0a1b2c3d4e5f.js" in text
    assert len(re.findall(r"<script ", text)) == 1
    assert text.count("<footer") == 1
    assert text.count('<section class="consent') == 1
    inserted = text_of(shopper, "/shop/")
    assert inserted.count("<footer") == 1


class Versioned:
    """Static files under the names that collecting gives them."""

    def url(self, name: str) -> str:
        stem, _, suffix = name.rpartition(".")
        return f"/static/{stem}.0a1b2c3d4e5f.{suffix}"

    def path(self, name: str) -> str:
        raise NotImplementedError(name)


def test_the_administration_is_left_alone(shopper: Client, auditor: Any) -> None:
    auditor.is_staff = True
    auditor.save()
    assert resolve("/admin/login/").app_name == "admin"
    text = text_of(shopper, "/admin/login/")
    assert "data-consent-script" not in text
    shopper.force_login(auditor)
    assert "data-consent-script" not in text_of(shopper, "/admin/")


@pytest.mark.parametrize("mode", ["server", "client"])
def test_a_page_of_an_unknown_host_is_left_alone(
    project: Settings, shopper: Client, mode: str
) -> None:
    project.ALLOWED_HOSTS = ["*"]
    project.CONSENT_INSERT = mode
    response = shopper.get("/shop/", headers={"host": "other.example"})
    assert response.status_code == 200
    assert response.content == PAGE.encode()


@pytest.mark.parametrize("mode", ["server", "client"])
def test_a_page_stays_where_the_products_tables_cannot_be_read(
    project: Settings,
    shopper: Client,
    mode: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails() -> None:
        raise OperationalError("no such table")

    project.CONSENT_INSERT = mode
    publication.forget()
    with monkeypatch.context() as patch:
        patch.setattr(publication, "_read", fails)
        response = shopper.get("/shop/")
    assert response.status_code == 200
    assert response.content == PAGE.encode()
    assert "left without banner" in caplog.text
    assert "<footer" in text_of(shopper, "/shop/")


def test_a_head_request_is_answered(shopper: Client) -> None:
    response = shopper.head("/shop/")
    assert response.status_code == 200
    assert response.content == b""


# --- the same for everybody -----------------------------------------------------------


def test_in_client_mode_everybody_gets_the_same_bytes(
    project: Settings,
    visitor: NewVisitor,
    ada: Any,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    project.CONSENT_INSERT = "client"
    chosen, californian = visitor(PARIS), visitor("214.78.120.1", gpc=True)
    choose(chosen, ALL)
    account = visitor("65.0.0.1")
    account.force_login(ada)
    pages = set()
    for browser in (chosen, californian, account):
        with django_assert_num_queries(0):
            response = browser.get("/shop/")
        assert "cookie" not in response.get("Vary", "").lower()
        assert "private" not in response.get("Cache-Control", "")
        assert not response.cookies
        pages.add(response.content.decode())
    (text,) = pages
    assert len(re.findall(r"<script [^>]* data-consent-script", text)) == 1
    assert "data-state" not in text
    assert '<section class="consent' not in text
    assert text.count("<footer") == 1
    assert "data-consent-open" in text


def test_in_client_mode_the_projects_own_tag_stays(
    project: Settings, shopper: Client
) -> None:
    project.CONSENT_INSERT = "client"
    first = shopper.get("/tagged/")
    assert first["ETag"] == '"the same for ever"'
    again = shopper.get("/tagged/", headers={"if-none-match": first["ETag"]})
    assert again.status_code == 304


def test_in_server_mode_the_token_alone_differs(
    project: Settings, visitor: NewVisitor, noon: object
) -> None:
    first, second = (text_of(visitor(PARIS), "/shop/") for _ in range(2))
    assert without_secrets(first) == without_secrets(second)


# --- addresses ------------------------------------------------------------------------


def test_addresses_that_are_there_are_added_to_nothing(project: Settings) -> None:
    before = list(urlpatterns)
    mount()
    assert urlpatterns == before


def test_addresses_that_are_not_there_come_after_the_projects_own(
    site: Site, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = [path("", shop), path("shop/", shop)]
    monkeypatch.setitem(globals(), "urlpatterns", own)
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, INSERTION]
    browser = Client(headers={"x-forwarded-for": PARIS})
    assert "bread and" in text_of(browser, "/")
    assert '<section class="consent"' in text_of(browser, "/")
    assert decision(browser)["banner"] == "opt_in"
    assert len(own) == 2  # the project's list is its own


# --- checks ---------------------------------------------------------------------------


def found() -> list[tuple[str | None, str]]:
    return [(message.id, message.msg) for message in check_mounting(None)]


def test_nothing_is_wrong_with_the_settings_of_the_tests() -> None:
    assert found() == []


def test_without_the_middleware_no_page_knows_what_may_run(settings: Settings) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != CONSENT]
    ((number, sentence),) = found()
    assert number == "consent.E023"
    assert sentence.startswith("The product's middleware is missing")


@pytest.mark.parametrize("name", [LOCALE, USERS])
def test_what_the_middleware_needs_comes_before_it(
    settings: Settings, name: str
) -> None:
    rest = [other for other in settings.MIDDLEWARE if other != name]
    settings.MIDDLEWARE = [*rest, name]
    ((number, sentence),) = found()
    assert number == "consent.E024"
    assert sentence.startswith(f"{name} comes after the product's middleware")


def test_the_middleware_that_inserts_comes_after_the_one_it_asks(
    settings: Settings,
) -> None:
    settings.MIDDLEWARE = [INSERTION, *settings.MIDDLEWARE]
    ((number, sentence),) = found()
    assert number == "consent.E024"
    assert sentence.startswith("InsertionMiddleware comes before ConsentMiddleware")
    settings.MIDDLEWARE = [*settings.MIDDLEWARE[1:], INSERTION]
    assert found() == []


def everything(_request: HttpRequest, rest: str) -> HttpResponse:
    return HttpResponse(rest)


@pytest.mark.parametrize(
    ("before", "told"),
    [
        ([], "The product's addresses are missing"),
        (
            [path("<path:rest>", everything), path("", include("consent.urls"))],
            "An address of the project takes in those of the product",
        ),
    ],
)
def test_the_banners_form_has_to_reach_us(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, before: Any, told: str
) -> None:
    monkeypatch.setitem(globals(), "urlpatterns", before)
    settings.ROOT_URLCONF = __name__
    ((number, sentence),) = found()
    assert number == "consent.E028"
    assert sentence.startswith(told)
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, INSERTION]
    assert bool(found()) == bool(before)


def test_template_tags_need_the_request(settings: Settings) -> None:
    (engine,) = settings.TEMPLATES
    settings.TEMPLATES = [{**engine, "OPTIONS": {"context_processors": []}}]
    ((number, sentence),) = found()
    assert number == "consent.E025"
    assert sentence.startswith("No template engine hands the request on")
    settings.TEMPLATES = [{**engine, "OPTIONS": {}}, engine]
    assert found() == []


def test_a_wrong_first_site_is_told_of_sentence_by_sentence(
    settings: Settings,
) -> None:
    settings.CONSENT_SITE = {"name": "Shop", "colour": "red"}
    numbers, sentences = zip(*found(), strict=True)
    assert set(numbers) == {"consent.E026"}
    assert "CONSENT_SITE: It needs 'hosts'." in sentences
    assert "CONSENT_SITE: It has an unknown member, 'colour'." in sentences
    settings.CONSENT_SITE = WANTED
    assert found() == []


@pytest.mark.parametrize("mode", ["", "Server", "both", None, True])
def test_what_is_inserted_is_one_of_two_words(settings: Settings, mode: object) -> None:
    settings.CONSENT_INSERT = mode
    ((number, sentence),) = found()
    assert number == "consent.E027"
    assert sentence == f"CONSENT_INSERT is {mode!r}; it must be one of server, client."


# --- the first site -------------------------------------------------------------------


@pytest.mark.parametrize("name", NEEDED)
def test_a_first_site_needs_what_publishing_needs(name: str) -> None:
    without = {key: value for key, value in WANTED.items() if key != name}
    assert wrong_in(without) == [f"It needs {name!r}."]
    assert wrong_in({**WANTED, name: ""}) == [f"It needs {name!r}."]


@pytest.mark.parametrize("wanted", [None, [], "shop", 1, [WANTED]])
def test_a_first_site_is_a_dictionary(wanted: object) -> None:
    assert wrong_in(wanted) == ["It must be a dictionary."]


WRONG = [
    ({"hosts": "shop.example"}, "hosts"),
    ({"hosts": [1]}, "hosts"),
    ({"audience": "everybody"}, "audience"),
    ({"hosts": ["localhost:8000"]}, "'hosts' are names in small letters, without a"),
    ({"hosts": ["Shop.example"]}, "'hosts' are names in small letters, without a"),
    ({"hosts": ["https://shop.example"]}, "'hosts' are names in small letters"),
    ({"hosts": {"shop.example": 1}}, "'hosts' must be a list of texts."),
    ({"languages": "en"}, "'languages' must be a list of texts."),
    ({"allowed_origins": [None]}, "'allowed_origins' must be a list of texts."),
    ({"languages": ["xx"]}, "xx is not translated whole."),
    ({"privacy_policy_url": "privacy"}, "privacy_policy_url: "),
    ({"policy": []}, "The policy must be an object."),
    ({"policy": {"purposes": {"spying": {}}, "services": []}}, "“spying” is none of"),
    ({"policy": {"purposes": {}}}, "services must be a list."),
    ({"controler_name": "x"}, "It has an unknown member, 'controler_name'."),
]


@pytest.mark.parametrize(("changes", "sentence"), WRONG)
def test_what_is_wrong_with_a_first_site_is_said(
    changes: dict[str, Any], sentence: str
) -> None:
    told = wrong_in({**WANTED, **changes})
    assert told
    assert any(sentence in text for text in told)


def test_a_translation_that_nobody_confirmed_is_told_of_before_migrating() -> None:
    told = wrong_in({**WANTED, "languages": ["en", "de"]})
    assert any("reviewed the translation de" in text for text in told)
    confirmed = {"languages": ["en", "de"], "unreviewed_languages": ["de"]}
    assert wrong_in({**WANTED, **confirmed}) == []


def test_a_text_that_a_language_lacks_is_told_of_before_migrating() -> None:
    purposes = {"marketing": {"title": {"en": "Marketing"}}}
    several = {"languages": ["en", "de"], "unreviewed_languages": ["de"]}
    policy = {"purposes": purposes, "services": []}
    told = wrong_in({**WANTED, **several, "policy": policy})
    assert told == ["purposes: marketing: title is missing in: de."]


def test_a_whole_first_site_has_nothing_wrong() -> None:
    more = {
        "slug": "shop",
        "languages": ["en", "de"],
        "unreviewed_languages": ["de"],
        "allowed_origins": ["https://app.example"],
        "cookie_domain": "",
        "audience": "general",
        "sensitive": False,
        "erasure": "at_once",
        "policy": POLICY,
    }
    assert set(more) == set(FURTHER)
    assert wrong_in({**WANTED, **more}) == []


def migrated() -> None:
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
    publication.forget()


def test_the_first_site_is_made_after_migrating_and_nothing_may_run(
    db: None, settings: Settings, visitor_of_nothing: Client
) -> None:
    settings.CONSENT_SITE = WANTED
    migrated()
    site = Site.objects.get()
    assert (site.slug, site.name, site.languages) == ("default", "Corner Shop", ["en"])
    version = PolicyVersion.objects.get()
    assert (version.version, version.note) == (1, "From CONSENT_SITE.")
    found = decision(visitor_of_nothing)
    assert found["purposes"] == {"necessary": True, **NONE}
    assert found["banner"] == "none"


@pytest.fixture
def visitor_of_nothing() -> Client:
    return Client(headers={"x-forwarded-for": PARIS})


def test_migrating_again_publishes_nothing_over_what_was_published(
    db: None, settings: Settings
) -> None:
    settings.CONSENT_SITE = {**WANTED, "policy": POLICY}
    migrated()
    settings.CONSENT_SITE = {**WANTED, "name": "Another name"}
    migrated()
    assert Site.objects.get().name == "Corner Shop"
    assert PolicyVersion.objects.get().document["services"] == POLICY["services"]


def test_a_site_without_a_policy_gets_the_one_of_the_settings(
    db: None, settings: Settings
) -> None:
    about = {**WANTED, "slug": "own", "languages": ["en"]}
    Site.objects.create(**about)
    settings.CONSENT_SITE = {**WANTED, "policy": POLICY}
    migrated()
    assert Site.objects.get().slug == "own"
    assert PolicyVersion.objects.count() == 1


def test_without_that_setting_migrating_makes_no_site(db: None) -> None:
    migrated()
    assert not Site.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [{"hosts": []}, {"colour": "red"}, {"languages": ["en", "de"]}],
)
def test_migrating_with_a_wrong_first_site_says_why_and_makes_none(
    db: None, settings: Settings, changes: dict[str, Any]
) -> None:
    settings.CONSENT_SITE = {**WANTED, **changes}
    with pytest.raises(CommandError, match="CONSENT_SITE cannot be used"):
        migrated()
    assert not Site.objects.exists()


# --- defaults -------------------------------------------------------------------------

ROOT = Path(defaults.__file__).parent.parent
# Of Django itself, or of another app that a project must have.
_NOT_OURS = {*dir(global_settings), "BASE_DIR", "ROOT_URLCONF"}


def named_in_source() -> Iterator[str]:
    """The settings that the product reads, as its source names them."""
    for file in ROOT.rglob("*.py"):
        source = file.read_text()
        yield from re.findall(r"\bsettings\.([A-Z][A-Z_]+)\b", source)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The settings of a project that says nothing about the product."""
    plain = SimpleNamespace(DEBUG=True, BASE_DIR=tmp_path)
    monkeypatch.setattr(defaults, "settings", plain)
    return plain


def test_every_setting_that_is_read_has_a_value(bare: SimpleNamespace) -> None:
    defaults.fill()
    read = set(named_in_source()) - _NOT_OURS
    assert {"CONSENT_SITE", "GEOIP_PATH", "CONSENT_KEY_FILES"} <= read
    assert read - set(vars(bare)) == set()


def test_the_defaults_are_those_of_the_product_itself(bare: SimpleNamespace) -> None:
    defaults.fill()
    mine = {name for name in vars(bare) if name not in {"DEBUG", "BASE_DIR"}}
    assert mine <= {name for name in dir(loaded) if name.isupper()}
    assert bare.DEMO is False
    assert bare.CONSENT_SITE is None
    assert bare.TRUSTED_PROXIES == ()
    assert bare.CONSENT_DATA_DIR == bare.BASE_DIR / "var" / "consent"


def test_what_a_project_says_stays(bare: SimpleNamespace) -> None:
    bare.CONSENT_COOKIE_NAME = "cookies"
    bare.CONSENT_SIGNING_KEY = "a key"
    bare.GEOIP_MAX_AGE_DAYS = 0
    defaults.fill()
    assert bare.CONSENT_COOKIE_NAME == "cookies"
    assert bare.CONSENT_SIGNING_KEY == "a key"
    assert bare.GEOIP_MAX_AGE_DAYS == 0
    assert not (bare.BASE_DIR / "var").exists()


def test_while_developing_a_key_is_made_once(bare: SimpleNamespace) -> None:
    defaults.fill()
    key = bare.CONSENT_SIGNING_KEY
    assert len(key) == len(keys.new_key())
    (file,) = bare.CONSENT_KEY_FILES
    assert file.read_text() == key
    assert file.stat().st_mode & 0o077 == 0
    del bare.CONSENT_SIGNING_KEY
    bare.DEBUG = False
    defaults.fill()
    assert key == bare.CONSENT_SIGNING_KEY


def test_elsewhere_no_key_is_made(bare: SimpleNamespace) -> None:
    bare.DEBUG = False
    defaults.fill()
    assert bare.CONSENT_SIGNING_KEY == ""
    assert not (bare.BASE_DIR / "var").exists()


def test_where_nothing_can_be_written_there_is_no_key(bare: SimpleNamespace) -> None:
    (bare.BASE_DIR / "var").write_text("a file where a folder should be")
    defaults.fill()
    assert bare.CONSENT_SIGNING_KEY == ""


# --- SQLite ---------------------------------------------------------------------------


def sqlite(folder: Path, **options: Any) -> Any:
    """A connection to an SQLite file as a project's settings name it."""
    about = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": folder / "db.sqlite3",
        "OPTIONS": options,
    }
    return ConnectionHandler({"default": about})["default"]


def pragma(connection: Any, name: str) -> Any:
    with connection.cursor() as cursor:
        return cursor.execute(f"PRAGMA {name}").fetchone()[0]


def test_sqlite_keeps_what_was_answered_where_a_project_says_nothing(
    tmp_path: Path, django_db_blocker: Any
) -> None:
    with django_db_blocker.unblock():
        connection = sqlite(tmp_path)
        assert pragma(connection, "journal_mode") == "wal"
        assert pragma(connection, "synchronous") == 2  # full
        assert pragma(connection, "recursive_triggers") == 1
        assert connection.transaction_mode == "IMMEDIATE"
        connection.close()


def test_what_a_project_says_about_sqlite_stays(
    tmp_path: Path, django_db_blocker: Any
) -> None:
    with django_db_blocker.unblock():
        own = "PRAGMA synchronous=NORMAL"
        connection = sqlite(tmp_path, init_command=own, transaction_mode="EXCLUSIVE")
        assert pragma(connection, "synchronous") == 1  # normal
        assert pragma(connection, "journal_mode") != "wal"
        assert connection.transaction_mode == "EXCLUSIVE"
        connection.close()


# --- languages of a project -----------------------------------------------------------


@pytest.mark.parametrize("code", ["en", "en-us"])
def test_a_first_site_speaks_the_projects_language(
    db: None, settings: Settings, code: str
) -> None:
    settings.LANGUAGE_CODE = code
    settings.CONSENT_SITE = WANTED
    assert wrong_in(WANTED) == []
    migrated()
    assert Site.objects.get().languages == ["en"]


@pytest.mark.parametrize(
    ("code", "spoken"),
    [("de", "de"), ("de-at", "de"), ("pt-br", "pt-br"), ("zh-hans", "zh-hans")],
)
def test_a_first_site_in_another_language_wants_it_confirmed(
    settings: Settings, code: str, spoken: str
) -> None:
    settings.LANGUAGE_CODE = code
    with translation.override("en"):
        (told,) = wrong_in(WANTED)
    assert f"reviewed the translation {spoken}:" in told
    assert wrong_in({**WANTED, "unreviewed_languages": [spoken]}) == []


def test_a_first_site_of_a_project_in_a_language_that_is_not_there_speaks_english(
    db: None, settings: Settings
) -> None:
    settings.LANGUAGE_CODE = "fy"
    settings.CONSENT_SITE = WANTED
    migrated()
    assert Site.objects.get().languages == ["en"]


def test_a_page_is_asked_in_its_own_language_where_that_is_published(
    project: Settings, visitor: NewVisitor
) -> None:
    french = visitor(PARIS, **{"accept-language": "fr"})
    text = text_of(french, "/odd/german/")
    assert "Alle ablehnen" in text
    assert text_of(french, "/odd/klingon/").count("Tout refuser") == 1
