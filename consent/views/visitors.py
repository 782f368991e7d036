"""The pages of anybody: home, the banner's form, the preference centre, the opt-out."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from consent import choices, counts, problems, visitor
from consent.browser import renew
from consent.core.decide import Status
from consent.core.origin import Trust
from consent.core.purposes import Purpose
from consent.core.record import Surface
from consent.decision import Consent, signed_in
from consent.forms import SAVED, form_token, receipt_named, trust_of
from consent.models import Count
from consent.notices import opt_out_notice
from consent.views.centre import centre
from consent.views.demo import explained, wanted
from consent.views.writes import (
    HttpResponseSeeOther,
    after,
    safe_return,
    saved,
    take,
    visitor_id,
    with_query,
)


def consent_of(request: HttpRequest) -> Consent:
    """The request's lazy consent value, hung there by the middleware."""
    return request.consent  # type: ignore[attr-defined, no-any-return]


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The demo's home page: banner, gated examples, and the decision explained."""
    address = wanted(request)
    if address is not None:
        return redirect(address)
    return render(request, "consent/home.html", explained(consent_of(request)))


@csrf_exempt
def choice(request: HttpRequest) -> HttpResponse:
    """POST /consent/choice/: the banner's form; 303 back to the page it was on."""
    if request.method != "POST":
        return problems.wrong_method(request, ("POST",))
    consent = consent_of(request)
    back = safe_return(request, consent, reverse("consent:home"))
    if request.POST.get("answer") == "signal":
        return _signal(request, consent, back)
    return after(
        take(request, consent),
        lambda kept: HttpResponseSeeOther(with_query(back, **saved(consent, kept))),
    )


def _signal(request: HttpRequest, consent: Consent, back: str) -> HttpResponse:
    """Answer a POST that only brings the signal, which the middleware then notes."""
    if trust_of(request, consent) is Trust.NONE:
        return problems.forbidden_origin(request)
    return HttpResponseSeeOther(back)


@never_cache
@require_safe
def preferences(request: HttpRequest) -> HttpResponse:
    """GET /cookie-preferences/: the preference centre, for anybody, without sign-in.

    Somebody signed in on this host goes on to their settings page.
    """
    consent = consent_of(request)
    back = safe_return(request, consent, "")
    if signed_in(request) is not None:
        own = reverse("consent:cookie-preferences-settings")
        played = consent.disguise.name if consent.disguise else None
        region = visitor.region_named(request.GET.get("place"))
        query = {"return_to": back or None, "as": played, "place": region}
        return HttpResponseSeeOther(with_query(own, **query))
    renew(consent)
    return render(request, "consent/preferences.html", centre(request, consent, back))


@csrf_exempt
def privacy_choices(request: HttpRequest) -> HttpResponse:
    """GET, POST /privacy-choices/: opt out of sale, sharing and targeted advertising.

    One button, without sign-in; it shows the present state, and with a signal that it
    was honoured (11 CCR 7025(c)(6), 7026).
    """
    consent = consent_of(request)
    if request.method == "POST":
        return _opt_out(request, consent)
    if request.method not in {"GET", "HEAD"}:
        return problems.wrong_method(request, ("GET", "POST"))
    renew(consent)
    decision = consent.decision
    shown = opt_out_notice(consent.published, decision, language=consent.language)
    counts.note(consent, Count.What.SHOWN, notice=shown.hash)
    choice = decision.choice
    answer = choice.answers.get(Purpose.MARKETING) if choice else None
    named = receipt_named(request, consent)
    context = {
        "notice": shown.document,
        "overridden": decision.status is Status.OVERRIDDEN,
        "token": form_token(consent),
        "saved": SAVED in request.GET and bool(named),
        "receipt": named,
        "opted_out": not consent.allows("marketing"),
        "refused": answer is not None and not answer.granted,
        "return_to": safe_return(request, consent, ""),
        **explained(consent),
    }
    response = render(request, "consent/privacy_choices.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _opt_out(request: HttpRequest, consent: Consent) -> HttpResponse:
    # An opt-out can only protect, so that it needs no proof of where it comes from,
    # but another site's page may not make it in the person's name.
    if trust_of(request, consent) is Trust.NONE:
        return problems.forbidden_origin(request)
    if Purpose.MARKETING not in consent.published.policy.purposes:
        return problems.nothing_to_refuse(request)
    recorded = choices.opt_out(
        consent,
        surface=Surface.OPT_OUT,
        account=consent.account,
        visitor_id=visitor_id(request, consent),
    )
    choices.carry(consent, recorded)
    page = with_query(request.get_full_path(), **saved(consent, recorded))
    return HttpResponseSeeOther(page)
