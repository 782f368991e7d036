"""The browser's own signals: Global Privacy Control and Do Not Track.

A page's script cannot set `Sec-` headers, and an extension may set the property
`navigator.globalPrivacyControl` alone; our script then says `?gpc=1`. That is believed
because it can only protect: nothing takes back what the header says.
"""

from django.http import HttpRequest

from consent.core.signals import Signals


def signals_of(request: HttpRequest) -> Signals:
    """Read `Sec-GPC` and `DNT`; only the value `1` says anything (GPC draft 3.3).

    `?gpc=1` counts like the header; no value of it counts against the header.
    """
    told = request.headers.get("Sec-GPC"), request.GET.get("gpc")
    return Signals(gpc="1" in told, dnt=request.headers.get("DNT") == "1")
