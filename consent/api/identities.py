"""Linking this browser to a person whom the site's backend vouches for."""

import hmac
import logging
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from consent import choices, problems, visitor
from consent.api.documents import decision_document
from consent.api.endpoints import endpoint
from consent.choices import UsedAlreadyError
from consent.core.origin import Trust
from consent.core.record import browser_name
from consent.decision import Consent
from consent.forms import UnreadableError, json_object, require_json, trust_of
from consent.identities import (
    InvalidTokenError,
    NoIdentityKeyError,
    read_token,
)
from consent.visitor.cookies import new_visitor_id

log = logging.getLogger(__name__)


@endpoint("POST", "DELETE")
def identities(request: HttpRequest, consent: Consent) -> HttpResponse:
    """POST links this browser, or tells what it is called; DELETE unlinks it."""
    if trust_of(request, consent) is not Trust.FULL or consent.elsewhere:
        return problems.forbidden_origin(request)
    known = consent.visitor_id
    if request.method == "DELETE":
        after = choices.unlink(consent, visitor_id=known)
        return JsonResponse({"linked": False, "decision": decision_document(after)})
    require_json(request)
    body = json_object(request)
    if not body:
        return _named(consent, known)
    token = body.get("token")
    if set(body) != {"token"} or not isinstance(token, str):
        raise UnreadableError("Send an object with a token, or an empty one.")
    try:
        return _linked(consent, token, known)
    except NoIdentityKeyError:
        return problems.no_identity_key()
    except (InvalidTokenError, UsedAlreadyError) as error:
        log.warning("A token of %s was refused: %s", consent.published.site, error)
        return problems.problem(
            401, "invalid_token", "This token vouches for nobody here."
        )


def _named(consent: Consent, known: str | None) -> HttpResponse:
    """What this browser is called; it gets its private id where it has none."""
    named = known or new_visitor_id()
    if known is None:
        consent.pending.append(
            lambda response: visitor.issue_visitor_id(
                response, named, cookies=consent.cookies
            )
        )
    linked = consent.linked is not None
    return JsonResponse({"browser": browser_name(named), "linked": linked})


def _linked(consent: Consent, token: str, known: str | None) -> HttpResponse:
    site = consent.published.site
    vouched = read_token(token, site=site, now=consent.server_time)
    own = browser_name(known) if known else ""
    if known is None or not hmac.compare_digest(vouched.browser, own):
        return problems.problem(
            409, "other_browser", "This token is for another browser."
        )
    joined = choices.link(consent, vouched, visitor_id=known)
    recorded = joined.recorded
    body: dict[str, Any] = {
        "linked": True,
        "identity": joined.identity,
        "browser": browser_name(joined.visitor),
        "receipt": recorded.receipt.document(own=True) if recorded else None,
        "decision": decision_document(joined.consent),
    }
    return JsonResponse(body)
