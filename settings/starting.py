"""What happens before anything is served, whichever way it is served."""

import os
import sys

import django
from django.core import checks


def start() -> None:
    """Set Django up; end the process on settings that cannot be understood.

    A server does not run system checks by itself; one that served with a setting it
    could not read might show nobody a banner.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
    django.setup(set_prefix=False)
    wrong = [
        message
        for message in checks.run_checks(tags=["consent"])
        if message.is_serious() and not message.is_silenced()
    ]
    if wrong:
        sys.stderr.writelines(f"{message}\n" for message in wrong)
        sys.stderr.write("The server does not start until this is mended.\n")
        raise SystemExit(1)
