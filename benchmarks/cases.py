"""What is measured: the pure functions, and whole requests through Django."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from ipaddress import IPv4Address
from itertools import cycle

from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test.utils import override_settings
from django.urls import path
from django.utils import timezone

from consent import geolocation, publication
from consent.core.cookie import decode, encode
from consent.core.decide import decide
from consent.core.jurisdictions import Location, rule_for
from consent.core.preferences import Answer, Choice
from consent.core.purposes import OPTIONAL
from consent.core.scales import Model
from consent.core.signals import Signals
from consent.decision import rule_at
from consent.management.demo_site import POLICY, SITE
from consent.models import Entry, Site
from consent.visitor.cookies import choice_value, parse_choice


@dataclass(frozen=True)
class Case:
    """One thing to measure; `against` names the case it is held against."""

    name: str
    work: Callable[[], object]
    against: str | None = None
    warm: int = 20


def _empty(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"ok": True})


urlpatterns = [path("", _empty)]


def prepared() -> list[Case]:
    """A database with the demo site, and every case ready to run."""
    call_command("migrate", verbosity=0, interactive=False)
    call_command("collectstatic", verbosity=0, interactive=False)
    site, _new = Site.objects.get_or_create(slug=SITE["slug"], defaults=SITE)
    if not publication.by_slug(site.slug).policy.version:
        publication.publish(site=site, document=POLICY, at=timezone.now(), by=None)
    return [*_pure(), *_requests()]


def _addresses() -> Callable[[], str]:
    """100,000 distinct addresses, the same in every run."""
    numbers = random.Random(1).sample(range(0x01000000, 0xDF000000), 100_000)
    return cycle(str(IPv4Address(n)) for n in numbers).__next__


def _pure() -> list[Case]:
    here = publication.by_slug(SITE["slug"])
    now = timezone.now()
    address = _addresses()
    france = Location(country="FR")
    states = Location(country="US")
    law = rule_at(here, france, now)
    answer = Answer(granted=False, at=now, expires=None, policy=1, model=Model.OPT_IN)
    choice = Choice(answers=dict.fromkeys(OPTIONAL, answer), rule="FR")
    text, value = encode(choice), choice_value(choice, site="default")
    rules, today = here.book.rules, now.date()
    return [
        Case("locate an address", lambda: geolocation.locate(address())),
        Case(
            "rule_for France", lambda: rule_for(rules=rules, location=france, on=today)
        ),
        Case(
            "rule_for the US, all states",
            lambda: rule_for(rules=rules, location=states, on=today),
        ),
        Case("the remembered rule", lambda: rule_at(here, states, now)),
        Case(
            "decide",
            lambda: decide(
                policy=here.policy, rule=law, choice=choice, signals=Signals(), now=now
            ),
        ),
        Case("write the cookie's text", lambda: encode(choice)),
        Case("read the cookie's text", lambda: decode(text)),
        Case("sign the cookie", lambda: choice_value(choice, site="default")),
        Case("read the signed cookie", lambda: parse_choice(value, site="default")),
    ]


class _Bare(WSGIHandler):
    """Django without middleware and with one view, whatever the settings say."""

    def get_response(self, request: HttpRequest) -> HttpResponse:
        request.urlconf = __name__
        return super().get_response(request)


def _requests() -> list[Case]:
    served = WSGIHandler()
    with override_settings(MIDDLEWARE=[]):
        bare = _Bare()
    address = _addresses()
    now = timezone.now()
    answer = Answer(granted=False, at=now, expires=None, policy=1, model=Model.OPT_IN)
    cookie = choice_value(
        Choice(answers=dict.fromkeys(OPTIONAL, answer), rule="FR"), site="default"
    )

    def ask(handler: WSGIHandler, url: str, **more: str) -> bytes:
        forwarded = {"HTTP_X_FORWARDED_FOR": address(), **more}
        return _answer(handler, url, "GET", b"", forwarded)

    def empty() -> bytes:
        return _answer(bare, "/", "GET", b"", {})

    refusal = b'{"purposes":{},"policy_version":1,"surface":"api","language":"en"}'
    json_headers = {
        "CONTENT_TYPE": "application/json",
        "HTTP_SEC_FETCH_SITE": "same-origin",
    }

    def insert() -> object:
        site = publication.by_slug("default").site
        return Entry.objects.create(
            site=site, leaf_hash=b"x" * 32, signature=b"x" * 64, key_id="", time=now
        )

    reference = "an empty Django view"
    return [
        Case(reference, empty),
        Case(
            "GET /api/v1/decision", lambda: ask(served, "/api/v1/decision"), reference
        ),
        Case(
            "GET /api/v1/decision with a cookie",
            lambda: ask(served, "/api/v1/decision", HTTP_COOKIE=f"consent={cookie}"),
            reference,
        ),
        Case("GET / with banner and gates", lambda: ask(served, "/"), reference),
        Case("one insert by the ORM", insert),
        Case(
            "POST /api/v1/choices",
            lambda: _answer(served, "/api/v1/choices", "POST", refusal, json_headers),
            "one insert by the ORM",
        ),
    ]


def _answer(
    handler: WSGIHandler, url: str, method: str, body: bytes, headers: dict[str, str]
) -> bytes:
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": url,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
        "wsgi.errors": BytesIO(),
        "wsgi.url_scheme": "http",
        **headers,
    }
    status = []
    response = handler(environ, lambda line, _headers: status.append(line))
    content = b"".join(response)
    response.close()
    if not status[0].startswith("2"):
        raise RuntimeError(f"{method} {url}: {status[0]}")
    return content
