"""Pages of a site that uses the product: what a developer of such a site writes."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path

_GATED: Final = """
<script type="text/plain" data-consent="analytics" data-src="/gated/counter.js">
</script>
<script type="text/plain" data-consent="marketing" data-src="/gated/adverts.js">
</script>
<iframe data-consent="marketing" data-consent-service="video" title="A film"
  width="400" height="225" data-src="/gated/film"></iframe>
<img data-consent="marketing" width="1" height="1" alt="" data-src="/gated/pixel.svg">
<template data-consent="functional" data-consent-service="chat"><p id="chat">Chat</p>
</template>
"""
# Those that the policy declares, on this host and on its domain.
_COOKIES: Final = """document.cookie = "crumbs=1; path=/";
document.cookie = "vid_7=1"; document.cookie = "_ads=1; path=/; domain=localhost";"""
_LONG: Final = "<p>A line of the page.</p>" * 80
_PAGE: Final = """{% load consent_tags static %}<!doctype html>
<html lang="{{ lang }}"><head><title>Shop</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="{% static 'consent/consent.min.css' %}">
{% consent_script mode=mode edge=edge %}
</head><body>{% consent_banner mode=mode %}
<h1>Shop</h1>{{ gated }}{{ long }}<p id="middle">The middle.</p>{{ long }}
{% consent_footer mode=mode %}</body></html>"""


def page(request: HttpRequest, mode: str) -> HttpResponse:
    """A page with a banner and things held back by the client."""
    safe = {"gated": _GATED, "long": _LONG}
    template = engines["django"].from_string(
        _PAGE.replace("{{ gated }}", safe["gated"]).replace("{{ long }}", safe["long"])
    )
    context = {
        "mode": mode,
        "edge": request.GET.get("edge", ""),
        "lang": request.GET.get("lang", "en"),
    }
    response = HttpResponse(template.render(context, request))
    if mode == "client":
        response["Cache-Control"] = "public, max-age=60"
    return response


def gated(_request: HttpRequest, name: str) -> HttpResponse:
    """What is held back: it says that it ran, and sets its cookie."""
    if name.endswith(".js"):
        body = f'(window.ran ??= []).push("{name}"); {_COOKIES}'
        return HttpResponse(body, content_type="text/javascript")
    if name.endswith(".svg"):
        body = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
        return HttpResponse(body, content_type="image/svg+xml")
    response = HttpResponse("<!doctype html><title>Film</title><p>The film plays.</p>")
    response.xframe_options_exempt = True
    return response


urlpatterns = [
    path("shop/", page, {"mode": "server"}),
    path("cached/", page, {"mode": "client"}),
    path("gated/<str:name>", gated),
    path("", include("consent.urls")),
]
