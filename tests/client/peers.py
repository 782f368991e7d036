"""What a backend may answer to the client's questions, rightly or wrongly."""

import json
from typing import Any

from consent_client import Consent

KEY = "consent_0123abcd_" + "k" * 43


def asking(address: str, **options: Any) -> Consent:
    """A client of that address, which remembers nothing unless it is told to."""
    return Consent(address, KEY, **{"timeout": 5.0, "cache_seconds": 0, **options})


def answer(question: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A yes to one question, as the backend words it, but for these members."""
    return {
        "user": None,
        "account": None,
        "identity": "1d" * 32,
        "service": None,
        "place": None,
        **question,
        "allowed": True,
        "reason": "granted",
        "known": True,
        "policy_version": 1,
        "answered_at": "2026-11-23T12:00:00Z",
        "expires_at": "2099-01-01T00:00:00Z",
        **changes,
    }


def answers(body: bytes, **changes: Any) -> bytes:
    """A yes to every question of a body."""
    asked = json.loads(body)["questions"]
    return json.dumps({"answers": [answer(q, **changes) for q in asked]}).encode()
