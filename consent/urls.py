"""The addresses of the product (docs/api.md)."""

from collections.abc import Iterator

from django.urls import URLPattern, path, re_path

from consent.api import erasing as api_erasing
from consent.api import identities as api_identities
from consent.api import permissions as api_permissions
from consent.api import published
from consent.api import receipts as api_receipts
from consent.api import views as api
from consent.views import (
    account,
    client,
    downloads,
    erasing,
    log,
    receipts,
    visitors,
    wellknown,
)


def _log(base: str) -> Iterator[URLPattern]:
    """The addresses of one log (C2SP tlog-tiles)."""
    yield path(f"{base}checkpoint", log.checkpoint)
    yield path(f"{base}tile/<path:path>", log.tile)
    yield path(f"{base}key", log.key)


app_name = "consent"
urlpatterns = [
    path("", visitors.home, name="home"),
    path("cookie-preferences/", visitors.preferences, name="cookie-preferences"),
    path("cookie-preferences/erase/", erasing.erase, name="consent-erase"),
    path("privacy-choices/", visitors.privacy_choices, name="privacy-choices"),
    path("consent/choice/", visitors.choice, name="consent-choice"),
    path("sign-in/", account.SignIn.as_view(), name="sign-in"),
    path("sign-out/", account.SignOut.as_view(), name="sign-out"),
    path("settings/", account.settings_home, name="settings"),
    path("settings/user/profile/", account.profile, name="profile-settings"),
    path(
        "settings/user/security/", account.Security.as_view(), name="security-settings"
    ),
    path(
        "settings/user/cookie-preferences/",
        account.cookie_preferences,
        name="cookie-preferences-settings",
    ),
    re_path(
        r"^cookie-preferences/history\.(?P<form>json|csv)$",
        downloads.visitor,
        name="visitor-history",
    ),
    re_path(
        r"^settings/user/cookie-preferences/history\.(?P<form>json|csv)$",
        downloads.account,
        name="cookie-preferences-history",
    ),
    path(
        "settings/user/cookie-preferences/erase/",
        erasing.erase_account,
        name="consent-erase-account",
    ),
    path("api/v1/decision", api.decision, name="api-decision"),
    path("api/v1/choices", api.choose, name="api-choices"),
    path("api/v1/history", api.history, name="api-history"),
    path("api/v1/policy", published.policy, name="api-policy"),
    path("api/v1/rules", published.rules, name="api-rules"),
    path("api/v1/identities", api_identities.identities, name="api-identities"),
    path("api/v1/permissions", api_permissions.permissions, name="api-permissions"),
    path("api/v1/visitor", api_erasing.erase, name="api-visitor"),
    path("api/v1/receipts/<str:number>", api_receipts.receipt, name="api-receipt"),
    path("receipts/<str:number>/", receipts.page, name="receipt"),
    path("receipts/<str:number>/notice/", receipts.notice, name="receipt-notice"),
    path("receipts/<str:number>/<str:form>", receipts.file, name="receipt-file"),
    *_log("log/<slug:slug>/"),
    *_log("log/<slug:slug>/<int:number>/"),
    path("consent.js", client.file, {"name": "consent.min.js"}, name="consent-script"),
    path("consent.css", client.file, {"name": "consent.min.css"}, name="consent-style"),
    path("keys", log.keys, name="keys"),
    path(".well-known/gpc.json", wellknown.gpc, name="gpc"),
    path("healthz", wellknown.healthz, name="healthz"),
    path("readyz", wellknown.readyz, name="readyz"),
]
