"""Whether a view is the product's own, and not of the project it is mounted in."""

from collections.abc import Callable

from django.http import HttpRequest


def is_ours(view: Callable[..., object]) -> bool:
    """Whether a view is the product's."""
    return getattr(view, "__module__", "").startswith("consent.")


def asks_us(request: HttpRequest) -> bool:
    """Whether a request was for an address of the product; False where for none."""
    match = request.resolver_match
    return match is not None and is_ours(match.func)
