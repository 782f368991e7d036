"""The settings area of a signed-in user: cookie preferences, profile, security."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import LoginView, LogoutView, PasswordChangeView
from django.forms import EmailInput, ModelForm, TextInput, Widget, modelform_factory
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from consent.browser import renew
from consent.core.purposes import Purpose
from consent.core.record import Surface
from consent.decision import Consent, signed_in
from consent.views.centre import centre
from consent.views.visitors import consent_of
from consent.views.writes import (
    HttpResponseSeeOther,
    after,
    safe_return,
    saved,
    take,
    with_query,
)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def cookie_preferences(request: HttpRequest) -> HttpResponse:
    """GET, POST /settings/user/cookie-preferences/: the account's own preferences."""
    consent = consent_of(request)
    back = safe_return(request, consent, "")
    if request.method == "POST":
        page = request.get_full_path()
        taken = take(request, consent, surface=Surface.SETTINGS, believed=True)
        return after(
            taken,
            lambda kept: HttpResponseSeeOther(with_query(page, **saved(consent, kept))),
        )
    renew(consent)
    shown = centre(request, consent, back)
    kept = _kept_refused(consent)
    context = {
        **shown,
        "section": "cookie-preferences",
        "kept_refused": kept,
        "kept_titles": ", ".join(
            row["title"] for row in shown["purposes"] if row["purpose"] in kept
        ),
    }
    return render(request, "settings/cookie_preferences.html", context)


def _kept_refused(consent: Consent) -> list[str]:
    """Purposes that signing in turned from granted to refused, not yet answered."""
    row = consent.preference
    return [str(Purpose(p)) for p in row.kept_refused] if row else []


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """GET, POST /settings/user/profile/: name and e-mail address."""
    form = _profile_form(request)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your profile was saved."))
        return redirect("consent:profile-settings")
    context = {"form": form, "section": "profile"}
    return render(request, "settings/profile.html", context)


def _profile_form(request: HttpRequest) -> "ModelForm[Any]":
    """Name and e-mail address of the user who asks, whatever user model is in use."""
    widgets: dict[str, type[Widget] | Widget] = {
        "first_name": TextInput(attrs={"autocomplete": "given-name"}),
        "last_name": TextInput(attrs={"autocomplete": "family-name"}),
        "email": EmailInput(attrs={"autocomplete": "email"}),
    }
    users = get_user_model()
    there = {f.name for f in users._meta.get_fields()}  # noqa: SLF001 - documented
    fields = [name for name in widgets if name in there]
    form = modelform_factory(users, fields=fields, widgets=widgets)
    data = request.POST if request.method == "POST" else None
    user = users.objects.get(pk=signed_in(request) or 0)
    return form(data, instance=user)


class Security(LoginRequiredMixin, PasswordChangeView):
    """GET, POST /settings/user/security/: the password."""

    template_name = "settings/security.html"
    success_url = reverse_lazy("consent:security-settings")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401
        return {**super().get_context_data(**kwargs), "section": "security"}

    def form_valid(self, form: Any) -> HttpResponse:  # noqa: ANN401
        messages.success(self.request, _("Your password was changed."))
        return super().form_valid(form)


class SignIn(LoginView):
    """GET, POST /sign-in/: on a page of ours, in its visitor's language."""


class SignOut(LogoutView):
    """POST /sign-out/."""


@require_GET
def settings_home(_request: HttpRequest) -> HttpResponse:
    """GET /settings/: the first page of the settings area."""
    return redirect(reverse("consent:cookie-preferences-settings"))
