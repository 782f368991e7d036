"""The Django app: registers checks and follows people who sign in and out."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConsentConfig(AppConfig):
    """Cookie consent as a Django app."""

    name = "consent"
    verbose_name = _("Cookie consent")

    def ready(self) -> None:
        from consent import (
            checks,  # noqa: F401 - registers the checks
            middleware,
        )

        middleware.follow_sign_in()
