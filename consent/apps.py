"""The Django app: registers checks, follows sign-in, and guards its logs."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConsentConfig(AppConfig):
    """Cookie consent as a Django app."""

    name = "consent"
    verbose_name = _("Cookie consent")

    def ready(self) -> None:
        from consent.mounting import defaults, durable, first_site

        # What follows reads settings that a project need not have.
        defaults.fill()
        from consent import (
            checks,  # noqa: F401 - registers the checks
            middleware,
            redaction,
        )
        from consent.mounting import checks as of_mounting  # noqa: F401 - registers

        middleware.follow_sign_in()
        redaction.guard_receipts()
        durable.follow_connections()
        first_site.follow_migrations(self)
