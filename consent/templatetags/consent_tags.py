"""`{% consent_script %}`, `{% consent_banner %}`, `{% gate %}`, `{% consent_footer %}`.

No legal condition stands in a template: these tags ask the decision and hand the
templates what to print. With `mode="client"` they ask nothing, and print the same bytes
for everybody: `consent.js` asks then.
"""

import json
from typing import Any, Final

from django import template
from django.http import HttpRequest
from django.template.base import FilterExpression, Node, NodeList, Parser, Token
from django.template.context import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils import translation
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from consent import client, counts, geolocation, languages
from consent.core.purposes import OPTIONAL, Purpose
from consent.decision import Consent
from consent.forms import RECEIPT, SAVED, form_token, receipt_named
from consent.models import Count
from consent.notices import banner_notice

register = template.Library()

SERVER: Final = "server"
CLIENT: Final = "client"
SCRIPT: Final = "consent.js"
SERVED: Final = "consent/consent.min.js"


def _consent(context: Context) -> Consent:
    return context["request"].consent  # type: ignore[no-any-return]


@register.simple_tag(takes_context=True)
def consent_script(context: Context, mode: str = SERVER, edge: str = "") -> SafeString:
    """The client script, once on a page. Belongs into `<head>`, before other scripts.

    It tells Google Consent Mode and other tools what may run before they begin. `edge`
    is where a banner is pinned that the script puts in: `top` or `bottom`.
    """
    consent = _consent(context)
    if consent.scripted:
        return SafeString("")
    consent.scripted = True
    about = {
        "base": reverse("consent:consent-script").removesuffix(SCRIPT),
        "edge": edge,
    }
    if mode == SERVER:
        about["state"] = json.dumps(client.state(consent), separators=(",", ":"))
        about["query"] = urlencode(_carried(consent))
    told = format_html_join(
        "", ' data-{}="{}"', [(name, text) for name, text in about.items() if text]
    )
    source = static(SERVED)
    return format_html('<script src="{}" data-consent-script{}></script>', source, told)


@register.inclusion_tag("consent/banner.html", takes_context=True)
def consent_banner(context: Context, mode: str = SERVER) -> dict[str, Any]:
    """The banner for this visitor, now: it asks, tells, confirms, or is empty.

    Belongs first in `<body>`. Works as a plain form without JavaScript. Where the page
    has no `consent_script` in its head, the script comes with the banner.
    """
    consent = _consent(context)
    printed = {"script": consent_script(context, mode=mode), "kind": "none"}
    return printed if mode == CLIENT else {**printed, **_shown(context, consent)}


def _shown(context: Context, consent: Consent) -> dict[str, Any]:
    """What the banner's template prints for this visitor."""
    request = context["request"]
    decision = consent.decision
    due = client.due(consent, decision)
    told = request.GET.get(SAVED) == "saved" and decision.choice is not None
    saved = told and not due  # a page's address must not put off what has to be asked
    if due is None and not saved:
        return {}
    shown = due or banner_notice(
        consent.published, decision, language=consent.language, whole=True
    )
    if due:
        counts.note(consent, Count.What.SHOWN, notice=shown.hash)
    here = _without_saved(request)
    return {
        "kind": "saved" if saved else decision.banner.label,
        "notice": shown.document,
        "notice_hash": shown.hash,
        "decision": decision,
        "accepted": decision.choice is not None
        and any(a.granted for a in decision.choice.answers.values()),
        "receipt": receipt_named(request, consent),
        "action": _address(consent, "consent-choice"),
        "preferences": _address(consent, "cookie-preferences", return_to=here),
        "here": here,
        "without_message": here,
        "policy_version": consent.published.policy.version,
        "token": form_token(consent),
    }


def _address(consent: Consent, name: str, **query: str) -> str:
    """The address of one of our pages.

    Whom the demo plays is kept across them, and the language and the region that the
    visitor picked on this page.
    """
    values = {key: value for key, value in query.items() if value}
    picked = consent.request.GET.get("language")
    if picked in consent.published.languages:
        values["language"] = picked
    values |= _carried(consent)
    url = reverse(f"consent:{name}")
    return f"{url}?{urlencode(values)}" if values else url


def _carried(consent: Consent) -> dict[str, str]:
    """What the script carries along too: it names the language of its page itself."""
    carried: dict[str, str] = {}
    if consent.picked_place is not None:
        carried["place"] = consent.picked_place
    if consent.disguise is not None:
        carried["as"] = consent.disguise.name
    return carried


def _without_saved(request: HttpRequest) -> str:
    """The page's own address without the message that a choice was kept."""
    query = request.GET.copy()
    query.pop(SAVED, None)
    query.pop(RECEIPT, None)
    rest = query.urlencode()
    return f"{request.path}?{rest}" if rest else request.path


@register.simple_tag(takes_context=True)
def consent_url(context: Context, name: str, **query: str) -> str:
    """The address of one of our pages, as `{% url %}` with a query of its own."""
    return _address(_consent(context), name, **query)


@register.simple_tag
def geo_data() -> geolocation.DatabaseStatus:
    """The geo database in use: edition, age, problem, attribution."""
    return geolocation.status()


@register.inclusion_tag("consent/footer.html", takes_context=True)
def consent_footer(context: Context, mode: str = SERVER) -> dict[str, Any]:
    """What stands at the foot of every page, banner or not.

    Cookie Preferences and the privacy policy; and for this visitor the opt-out link
    where the rule wants it, what became of the browser's signal, and the attribution of
    the geo data.
    """
    consent = _consent(context)
    common = {
        "language": _page_language(consent, mode),
        "privacy_policy_url": consent.published.document.get("privacy_policy_url"),
    }
    if mode == CLIENT:
        return {
            **common,
            "preferences": reverse("consent:cookie-preferences"),
            "own": False,
        }
    back = {"return_to": _back(context["request"])}
    href = _address(consent, "privacy-choices", **back)
    return {
        **common,
        "preferences": _address(consent, "cookie-preferences", **back),
        "own": True,
        "gated": consent.gated,
        **client.own_footer(consent, consent.decision, href),
    }


def _page_language(consent: Consent, mode: str) -> str:
    """The language of our part of a page; in a shared cache, that of the page alone."""
    if mode == SERVER:
        return consent.language
    return translation.get_language() or languages.SOURCE


def _back(request: HttpRequest) -> str:
    """The page to go back to; where one is on the way already, that one."""
    return request.GET.get("return_to") or _without_saved(request)


@register.tag
def gate(parser: Parser, token: Token) -> "GateNode":
    """Print the block only where a purpose, or one of its services, may run.

    `{% gate "analytics" %}`, `{% gate "marketing" "video" %}`, with an optional
    `{% else %}` for a placeholder.
    """
    _name, *words = token.split_contents()
    if len(words) not in {1, 2}:
        raise template.TemplateSyntaxError("gate takes a purpose and perhaps a service")
    arguments = [parser.compile_filter(word) for word in words]
    allowed = parser.parse(("else", "endgate"))
    otherwise = NodeList()
    if parser.next_token().contents == "else":
        otherwise = parser.parse(("endgate",))
        parser.delete_first_token()
    return GateNode(arguments, allowed, otherwise)


class GateNode(Node):
    """A part of a page that is held back until its purpose may run."""

    child_nodelists = ("allowed", "otherwise")

    def __init__(
        self, arguments: list[FilterExpression], allowed: NodeList, otherwise: NodeList
    ) -> None:
        self.arguments = arguments
        self.allowed = allowed
        self.otherwise = otherwise

    def render(self, context: Context) -> SafeString:
        purpose, *service = [str(a.resolve(context)) for a in self.arguments]
        if purpose not in OPTIONAL and purpose != Purpose.NECESSARY:
            raise template.TemplateSyntaxError(f"gate: there is no purpose {purpose!r}")
        consent = _consent(context)
        consent.gated = True
        allows = consent.allows(purpose, *service)
        counts.note(consent, Count.What.GATE, detail=f"{purpose}:{allows:d}")
        return (self.allowed if allows else self.otherwise).render(context)
