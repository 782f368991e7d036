"""Ask a Consent backend whether a person may be tracked. When unsure: no.

    consent = Consent("https://consent.example.org", key)
    if consent.allows(user="17", purpose="analytics"):
        ...

The package sends the questions that its caller asks, to the address that its caller
gave, and nothing else to nobody else.
"""

from consent_client.answers import Permission, Question
from consent_client.asking import Consent
from consent_client.errors import (
    AnswerError,
    ConsentError,
    KeyRefusedError,
    QuestionError,
    RefusedError,
    UnavailableError,
    UnknownWebhookError,
    WebhookError,
)
from consent_client.identity import browser_of, identity_token
from consent_client.webhooks import Change, Erased, Position, verify_webhook

__all__ = [
    "AnswerError",
    "Change",
    "Consent",
    "ConsentError",
    "Erased",
    "KeyRefusedError",
    "Permission",
    "Position",
    "Question",
    "QuestionError",
    "RefusedError",
    "UnavailableError",
    "UnknownWebhookError",
    "WebhookError",
    "browser_of",
    "identity_token",
    "verify_webhook",
]
