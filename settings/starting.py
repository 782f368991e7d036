"""What happens before anything is served, whichever way it is served."""

import os
import sys

import django
from django.core import checks
from django.core.checks import Tags
from django.db import connections


def start() -> None:
    """Set Django up; end the process on settings that cannot be understood.

    A server does not run system checks by itself; one that served with a setting it
    could not read might show nobody a banner, and one on a database that forgets might
    lose choices. A database that is down is no reason not to start: decisions for
    anonymous visitors follow once it answers.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
    django.setup()  # with FORCE_SCRIPT_NAME, which addresses of files begin with
    wrong = [
        message
        for message in checks.run_checks(
            tags=["consent", Tags.database], databases=list(connections)
        )
        if message.is_serious() and not message.is_silenced()
    ]
    connections.close_all()  # a server may fork, and workers share no connection
    if wrong:
        sys.stderr.writelines(f"{message}\n" for message in wrong)
        sys.stderr.write("The server does not start until this is mended.\n")
        raise SystemExit(1)
    _work_beside_requests()


def _work_beside_requests() -> None:
    """Begin what goes on beside the requests, once the app is known to be sound."""
    from consent import background, counts  # noqa: PLC0415 - needs django.setup()

    background.serve()
    counts.serve()
