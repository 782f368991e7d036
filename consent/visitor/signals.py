"""The browser's own signals: Global Privacy Control and Do Not Track."""

from django.http import HttpRequest

from consent.core.signals import Signals


def signals_of(request: HttpRequest) -> Signals:
    """Read `Sec-GPC` and `DNT`; only the value `1` says anything (GPC draft 3.3)."""
    return Signals(
        gpc=request.headers.get("Sec-GPC") == "1", dnt=request.headers.get("DNT") == "1"
    )
