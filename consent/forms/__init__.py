"""Reading what people send: the banner's and preference pages' forms, the API's body.

Everything comes from a closed list. What is not on it is refused with the sentence of
`UnreadableError` and stored nowhere.
"""

from consent.forms.believing import (
    RECEIPT,
    SAVED,
    form_token,
    receipt_named,
    trust_of,
)
from consent.forms.body import json_object, read_body, require_json
from consent.forms.form import read_form
from consent.forms.questions import read_question, read_questions
from consent.forms.repeatable import repeatable
from consent.forms.sent import PolicyChangedError, Sent, UnreadableError, any_grant
from consent.forms.shown import on_screen

__all__ = [
    "RECEIPT",
    "SAVED",
    "PolicyChangedError",
    "Sent",
    "UnreadableError",
    "any_grant",
    "form_token",
    "json_object",
    "on_screen",
    "read_body",
    "read_form",
    "read_question",
    "read_questions",
    "receipt_named",
    "repeatable",
    "require_json",
    "trust_of",
]
