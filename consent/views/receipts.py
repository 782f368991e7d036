"""A receipt as a page, for people: what was answered, the proof, and the downloads.

The number in the address is the only key. Nothing here is stored, indexed, or told to
the pages that it links to.
"""

import json
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent import problems
from consent.audit import receipts
from consent.audit.claims import CLAIMS
from consent.audit.receipts import Kept
from consent.audit.rule_rows import names_of
from consent.audit.signers import signers
from consent.core.data_privacy_vocabulary import json_ld
from consent.core.iso_27560 import iso_27560
from consent.core.proof_steps import proof_steps
from consent.core.purposes import OPTIONAL, Purpose
from consent.core.record import Event, Surface
from consent.core.scales import Model
from consent.core.signed_note import parse_checkpoint, parse_note
from consent.core.told import Told
from consent.models import Notice, PolicyVersion, RuleBookVersion
from consent.notices import assets_of, standalone
from consent.views.visitors import consent_of
from consent.views.words import EVENTS, MODELS, SURFACES

type Values = dict[str, Any]
type View = Callable[..., HttpResponse]

# Only the styles and pictures in the file itself; nothing is fetched and nothing runs.
NOTICE_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

_TITLES: Final = {
    Purpose.FUNCTIONAL: gettext_lazy("Functional"),
    Purpose.ANALYTICS: gettext_lazy("Analytics"),
    Purpose.MARKETING: gettext_lazy("Marketing"),
}


def _of_receipt(view: View) -> View:
    """A page of one receipt: 404 without it; never stored, indexed or referred to."""

    @wraps(view)
    def answer(request: HttpRequest, number: str, **named: str) -> HttpResponse:
        site = consent_of(request).published.site
        if request.method not in {"GET", "HEAD"}:
            response = problems.wrong_method(request, ("GET",))
        elif (found := receipts.find(site=site, number=number)) is None:
            response = problems.wrong(
                request, 404, "unknown_receipt", _("There is no such receipt here.")
            )
        else:
            response = view(request, found, **named)
        response["Cache-Control"] = "no-store"
        response["X-Robots-Tag"] = "noindex"
        response["Referrer-Policy"] = "no-referrer"
        return response

    return answer


@_of_receipt
def page(request: HttpRequest, found: Kept) -> HttpResponse:
    """GET /receipts/<number>/: the receipt in plain words, with its proof."""
    # The foot of every page leads back to the page; the address of this one is a key,
    # which no other address may carry.
    query = request.GET.copy()
    query["return_to"] = reverse("consent:home")
    request.GET = query  # type: ignore[assignment]
    document = receipts.document(found)
    keys = receipts.public_keys(found.entry.site)
    context = {
        "number": document["id"],
        "gone": document.get("gone"),
        "answer": _answer(found, document["record"]) if document["record"] else None,
        "document": document,
        "proof": _proof(document),
        "keys": keys,
        "used_keys": _used(keys, document),
        "claims": CLAIMS,
    }
    return render(request, "consent/receipt.html", context)


@_of_receipt
def file(request: HttpRequest, found: Kept, form: str) -> HttpResponse:
    """GET /receipts/<number>/<file>: the receipt to keep, and in others' terms.

    `receipt.json` is what was signed, with the keys that verify it; `iso-27560.json`
    and `receipt.jsonld` say the same in the words of standards, and are not signed.
    """
    if form == "receipt.json":
        keys = receipts.public_keys(found.entry.site)
        return _download(form, {**receipts.document(found), "keys": keys})
    made = {"iso-27560.json": iso_27560, "receipt.jsonld": json_ld}.get(form)
    if made is None:
        return problems.wrong(request, 404, "not_found", _("There is nothing here."))
    if found.content is None:
        return _gone(request)
    return _download(form, made(_told(request, found)))


@_of_receipt
def notice(request: HttpRequest, found: Kept) -> HttpResponse:
    """GET /receipts/<number>/notice/: the notice as it was shown."""
    if found.content is None:
        return _gone(request)
    digest = json.loads(found.content.canonical)["notice"]["hash"]
    shown = Notice.objects.filter(hash=digest or "").first()
    if shown is None:
        return problems.wrong(
            request, 404, "no_notice", _("No notice of ours was shown for it.")
        )
    response = HttpResponse(standalone(shown.document, assets_of(shown.document)))
    response["Content-Security-Policy"] = NOTICE_POLICY
    return response


def _gone(request: HttpRequest) -> HttpResponse:
    return problems.wrong(
        request, 410, "gone", _("What this receipt recorded is no longer kept.")
    )


def _download(name: str, document: Values) -> HttpResponse:
    """A file to keep. Its name tells no number: headers reach more logs than bodies."""
    kinds = {"receipt.jsonld": "application/ld+json"}
    text = json.dumps(document, ensure_ascii=False, indent=2)
    response = HttpResponse(
        f"{text}\n", content_type=kinds.get(name, "application/json")
    )
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _told(request: HttpRequest, found: Kept) -> Told:
    record = json.loads(found.content.canonical) if found.content else {}
    version = PolicyVersion.objects.get(
        site=found.entry.site, version=record["policy"]["version"]
    )
    return Told(
        record=record,
        policy=version.document,
        withdrawal=request.build_absolute_uri(reverse("consent:cookie-preferences")),
        retention_days=settings.CONSENT_RETENTION_DAYS,
    )


def _answer(found: Kept, record: Values) -> Values:
    """What a record says, in words."""
    policy = PolicyVersion.objects.get(
        site=found.entry.site, version=record["policy"]["version"]
    ).document
    book = RuleBookVersion.objects.get(hash=record["jurisdiction"]["rulebook"])
    until, answers = record["valid_until"], record["purposes"]
    return {
        "record": record,
        "event": EVENTS[Event(record["event"])],
        "surface": SURFACES[Surface(record["surface"])],
        "model": MODELS[Model[record["model"].upper()]],
        "time": datetime.fromisoformat(record["time"]),
        "until": datetime.fromisoformat(until) if until else None,
        "places": ", ".join(names_of(record["jurisdiction"]["rule"], book.document)),
        "controller": policy["controller"],
        "purposes": [
            {"title": _title(policy, record, purpose), "on": answers[purpose]}
            for purpose in OPTIONAL
            if purpose in answers
        ],
        "services": list(_alone(policy, record)),
    }


def _title(policy: Values, record: Values, purpose: Purpose) -> str:
    """What the policy calls a purpose in the language of the notice; else we do."""
    own = policy["purposes"].get(purpose, {}).get("title", {})
    return own.get(record["notice"]["language"]) or str(_TITLES[purpose])


def _alone(policy: Values, record: Values) -> list[Values]:
    """The services that were answered otherwise than their purpose."""
    known = {service["slug"]: service for service in policy["services"]}
    return [
        {"title": known[name]["name"], "on": on}
        for name, on in record["services"].items()
        if name in known and on != record["purposes"].get(known[name]["purpose"])
    ]


def _used(keys: list[str], document: Values) -> list[str]:
    """The keys that the receipt cannot be verified without, retired or not."""
    notes = [document["log"]["checkpoint"]] if document["log"] else []
    return signers(keys, key_ids=[document["key_id"]], notes=notes)


def _proof(document: Values) -> Values | None:
    """The way from the leaf hash to the signed root, step by step."""
    log = document["log"]
    if log is None:
        return None
    head = parse_checkpoint(parse_note(log["checkpoint"]).text)
    steps = proof_steps(
        index=log["index"],
        size=log["tree_size"],
        leaf=bytes.fromhex(document["leaf_hash"]),
        proof=[bytes.fromhex(digest) for digest in log["inclusion_proof"]],
    )
    return {
        "index": log["index"],
        "size": log["tree_size"],
        "origin": head.origin,
        "root": head.root.hex(),
        "checkpoint": log["checkpoint"],
        "steps": [
            {
                "from_left": step.from_left,
                "sibling": step.sibling.hex(),
                "result": step.result.hex(),
            }
            for step in steps
        ],
    }
