"""Parts of a page for the client script to put in, with absolute addresses.

The banner's markup is the one that is kept with its notice: no token and no visitor's
data is in it. `{here}` in an address stands for the page's own address, which the
script knows and the server is not told.
"""

import re
from typing import Any, Final

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.http import urlencode

from consent import client, counts
from consent.choices import Recorded
from consent.core.decide import Decision
from consent.core.record import Surface
from consent.decision import Consent
from consent.models import Count
from consent.notices import answered, banner_notice, centre_notice

HERE: Final = "{here}"
_ADDRESS: Final = re.compile(r' (href|action|src)="/(?!/)')
_FIRST_TAG: Final = '<section class="consent'


def part(request: HttpRequest, consent: Consent, decision: Decision) -> dict[str, Any]:
    """What a page's script is told beside the decision document.

    With `?choose=1` the preference form in place of the banner.
    """
    told = client.told(consent, decision)
    html = _choose if request.GET.get("choose") == "1" else _banner
    return {
        **told,
        "html": html(request, consent, decision),
        "footer": _footer(consent, decision),
    }


def _banner(request: HttpRequest, consent: Consent, decision: Decision) -> str:
    """The banner that is due; empty where none is."""
    notice = client.due(consent, decision)
    if notice is None:
        return ""
    counts.note(consent, Count.What.SHOWN, notice=notice.hash)
    plain = f'href="{reverse("consent:cookie-preferences")}"'
    led_back = f'href="{_preferences(consent)}"'
    html: str = notice.document["html"].replace(plain, led_back)
    return _placed(request, consent, html)


def _choose(request: HttpRequest, consent: Consent, decision: Decision) -> str:
    """The questions of the preference centre, for a page where there is only this."""
    digest, notice = centre_notice(
        consent.published,
        decision,
        language=consent.language,
        surface=Surface.PREFERENCES,
    )
    counts.note(consent, Count.What.SHOWN, notice=digest)
    rows = answered(notice, decision)
    context = {
        "notice": notice,
        "purposes": rows,
        "granted": any(row["answer"] for row in rows),
    }
    with translation.override(consent.language):
        html = render_to_string("consent/inserted/choose.html", context)
    return _placed(request, consent, html)


def saved(request: HttpRequest, consent: Consent, kept: Recorded) -> str:
    """The confirmation of a choice that was kept, in the language of the request."""
    decision, language = kept.decision, consent.language
    shown = banner_notice(consent.published, decision, language=language, whole=True)
    context = {
        "kind": "saved",
        "notice": shown.document,
        "accepted": any(a.granted for a in kept.choice.answers.values()),
        "receipt": kept.receipt.id,
        "preferences": _preferences(consent),
        "without_message": "#",
    }
    with translation.override(language):
        html = render_to_string("consent/banner.html", context)
    return _placed(request, consent, html)


def _footer(consent: Consent, decision: Decision) -> str:
    href = _address(consent, "privacy-choices")
    own = client.own_footer(consent, decision, href)
    with translation.override(consent.language):
        html = render_to_string("consent/footer_own.html", own)
    return _absolute(consent, html)


def _preferences(consent: Consent) -> str:
    return _address(consent, "cookie-preferences")


def _address(consent: Consent, name: str) -> str:
    """One of our pages, which leads back to the page that the markup is put in."""
    query = {"as": consent.disguise.name} if consent.disguise else {}
    if consent.picked_place is not None:
        query["place"] = consent.picked_place
    return f"{reverse(f'consent:{name}')}?{urlencode({**query, 'return_to': HERE})}"


def _placed(request: HttpRequest, consent: Consent, html: str) -> str:
    """The markup with absolute addresses, pinned to an edge where that is wanted."""
    edge = client.edge(consent, request.GET.get("edge"))
    html = _absolute(consent, html.strip())
    pinned = f"{_FIRST_TAG} pinned {edge}"
    return html.replace(_FIRST_TAG, pinned, 1) if edge else html


def _absolute(consent: Consent, html: str) -> str:
    """Markup whose addresses name this server; texts hold no bare quotation marks."""
    origin = f"{consent.request.scheme}://{_host(consent)}/"
    return _ADDRESS.sub(rf' \1="{origin}', html).strip()


def _host(consent: Consent) -> str:
    """The host of our pages: the request's; for another site's page the site's first.

    What another site's page asks belongs to no site, and has no page to show.
    """
    asked = consent.request.get_host()
    first = consent.published.site.hosts[0] if consent.elsewhere else "*"
    if first.startswith("*"):
        return asked
    port = re.search(r":\d+$", asked)
    return first + (port[0] if port else "")
