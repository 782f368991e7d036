"""The log over HTTP (C2SP tlog-tiles): signed heads, hashes, keys; never a record.

Everything here is public, the same for everybody, and asks nothing about the visitor.
A log is served on its own site's hosts alone. Its address without a number is that of
the first log for ever, because its tiles never change.
"""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from consent import ledger
from consent.core.merkle import HASH_BYTES
from consent.core.tiles import parse_tile_path
from consent.languages import wordless
from consent.ledger import LogState


@wordless
@require_safe
def checkpoint(request: HttpRequest, slug: str, number: int = 1) -> HttpResponse:
    """GET /log/<site>/checkpoint: the newest signed head, cached for at most 5 s."""
    state = _state(request, slug, number)
    if state.checkpoint is None:
        raise Http404
    response = _text(ledger.with_cosignatures(state.checkpoint), seconds=5)
    newest = ledger.latest_log(state.log.site)
    if newest is not None and newest.number > number:
        # This log was closed, and that one goes on (RFC 5829).
        next_one = f"</log/{slug}/{newest.number}/checkpoint>"
        response["Link"] = f'{next_one}; rel="latest-version"'
    return response


@wordless
@require_safe
def tile(request: HttpRequest, slug: str, path: str, number: int = 1) -> HttpResponse:
    """GET /log/<site>/tile/<L>/<N>[.p/<W>]: hashes, which never change.

    `tile/entries/` is not there: what was recorded belongs to people.
    """
    named = parse_tile_path(path)
    if named is None:
        raise Http404
    state = _state(request, slug, number)
    level, index, width = named
    found = ledger.tile_hashes(
        site=state.log.site, log=number, size=state.size, level=level, index=index
    )
    if found is None or len(found) < width * HASH_BYTES:
        raise Http404
    body = found[: width * HASH_BYTES]
    response = HttpResponse(body, content_type="application/octet-stream")
    return _public(response, "max-age=31536000, immutable")


@wordless
@require_safe
def key(request: HttpRequest, slug: str, number: int = 1) -> HttpResponse:
    """GET /log/<site>/key: the verifier key of the newest head, on one line."""
    found = ledger.verifier_keys(_state(request, slug, number))
    if not found:
        raise Http404
    return _text(f"{found[0]}\n", seconds=300)


@wordless
@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """GET /keys: every key that ever signed here, under the site's logs' names."""
    site = request.consent.published.site  # type: ignore[attr-defined]
    states = reversed(list(ledger.log_states(site)))
    lines = [line for state in states for line in ledger.verifier_keys(state)]
    return _text("".join(f"{line}\n" for line in lines), seconds=300)


def _state(request: HttpRequest, slug: str, number: int) -> LogState:
    """A log of the site that the request's host belongs to; else 404."""
    site = request.consent.published.site  # type: ignore[attr-defined]
    found = ledger.log_state(site=site, number=number) if site.slug == slug else None
    if found is None:
        raise Http404
    return found


def _text(body: str, *, seconds: int) -> HttpResponse:
    response = HttpResponse(body, content_type="text/plain; charset=utf-8")
    return _public(response, f"max-age={seconds}")


def _public(response: HttpResponse, age: str) -> HttpResponse:
    """For every cache, and for the pages of anybody who checks the log."""
    response["Cache-Control"] = f"public, {age}"
    response["Access-Control-Allow-Origin"] = "*"
    return response
