"""The Django app: registers checks, follows sign-in, and guards its logs."""

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
            redaction,
        )

        middleware.follow_sign_in()
        redaction.guard_receipts()
