"""What every page that takes a choice shares: whom to believe, where to go back to."""

from collections.abc import Callable
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

from consent import choices, problems, publication, visitor
from consent.browser import as_kept
from consent.core.origin import Trust
from consent.core.record import Surface
from consent.decision import Consent
from consent.forms import (
    RECEIPT,
    SAVED,
    UnreadableError,
    any_grant,
    on_screen,
    read_form,
    trust_of,
)
from consent.keys import envelope
from consent.models.site import HOST

# Django refuses to redirect to more than 2,048 characters; ours are added to these.
LONGEST_RETURN = 1800


class HttpResponseSeeOther(HttpResponseRedirect):
    """303: go on with a GET, whatever was posted (RFC 9110 section 15.4.4)."""

    status_code = 303


def safe_return(request: HttpRequest, consent: Consent, default: str) -> str:
    """Where to go back to: only an address on the site's own hosts is believed."""
    wanted = request.POST.get("return_to") or request.GET.get("return_to") or ""
    hosts = {request.get_host(), *_named(wanted, consent)}
    allowed = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts=hosts, require_https=request.is_secure()
    )
    return wanted if allowed and len(quote(wanted)) <= LONGEST_RETURN else default


def _named(address: str, consent: Consent) -> set[str]:
    """The host that an address names, where it belongs to the site."""
    try:
        host = urlsplit(address).netloc
    except ValueError:
        return set()
    site = consent.published.site
    ours = HOST.fullmatch(host) and publication.has_host(site, host)
    return {host} if ours else set()


def with_query(url: str, **values: str | None) -> str:
    """The address with some of its query replaced; None takes a value out."""
    parts = urlsplit(url)
    kept = [
        (k, v)
        for k, v in parse_qsl(parts.query, keep_blank_values=True)
        if k not in values
    ]
    added = [(k, v) for k, v in values.items() if v is not None]
    return urlunsplit(parts._replace(query=urlencode(kept + added)))


def saved(consent: Consent, recorded: choices.Recorded) -> dict[str, str]:
    """The query that has a page confirm a choice, and tell the receipt's number.

    The number is the only key to the receipt, so that it travels in an envelope that
    opens only with the cookies that this browser will hold.
    """
    kept = as_kept(consent, recorded.choice)
    choice = visitor.cookie_value(kept, cookies=consent.cookies)
    held = choice + (recorded.visitor or visitor_id(consent.request, consent) or "")
    return {SAVED: "saved", RECEIPT: envelope(recorded.receipt.id, browser=held)}


def visitor_id(request: HttpRequest, consent: Consent) -> str | None:
    return visitor.read_visitor_id(request, site=consent.published.site.slug)


def take(
    request: HttpRequest,
    consent: Consent,
    *,
    surface: Surface | None = None,
    believed: bool = False,
) -> choices.Recorded | HttpResponse:
    """Record the choice of a posted form; a response where it is not taken.

    `believed` says that the page's own token was checked already.
    """
    trusted = Trust.FULL if believed else trust_of(request, consent)
    if trusted is Trust.NONE:
        return problems.forbidden_origin(request)
    try:
        sent = read_form(request.POST, consent)
    except UnreadableError as error:
        return problems.wrong(request, error.status, error.kind, error.detail)
    grants = any_grant(sent.answers.purposes, sent.answers.services)
    if grants and trusted is Trust.REFUSE_ONLY:
        return problems.forbidden_origin(request)
    recorded = choices.choose(
        consent,
        answers=sent.answers,
        surface=surface or sent.surface,
        account=consent.account,
        visitor_id=visitor_id(request, consent),
        language=sent.language,
        **on_screen(sent),
    )
    choices.carry(consent, recorded)
    return recorded


type Taken = choices.Recorded | HttpResponse


def after(
    taken: Taken, go_on: Callable[[choices.Recorded], HttpResponse]
) -> HttpResponse:
    """Go on after a choice that was kept; hand a refusal to keep it straight back."""
    return taken if isinstance(taken, HttpResponse) else go_on(taken)
