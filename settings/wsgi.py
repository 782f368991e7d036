"""The WSGI application: refuses to start on settings that cannot be understood."""

import os
import sys

import django
from django.core import checks
from django.core.handlers.wsgi import WSGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")


def _start() -> WSGIHandler:
    """Check the settings as `manage.py check` does, then serve.

    A server does not run system checks by itself; one that served with a setting it
    could not read might show nobody a banner.
    """
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
    return WSGIHandler()


application = _start()
