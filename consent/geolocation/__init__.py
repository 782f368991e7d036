"""From an address to a place: the only reader of geo databases.

`locate` answers with a `Location`; every failure is an unknown location, which the
rule book treats as the strictest place. `status` and `anonymous_status` tell operators
which database answers, how old it is and what is wrong with it.
"""

from consent.geolocation.lookup import anonymous_status, locate, status
from consent.geolocation.status import DatabaseStatus

__all__ = ["DatabaseStatus", "anonymous_status", "locate", "status"]
