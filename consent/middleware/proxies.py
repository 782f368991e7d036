"""Forwarding headers count only where a trusted proxy says them."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from consent import visitor

# Headers that only a proxy may say.
_FORWARDING = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
)


class TrustedProxyMiddleware:
    """Drop forwarding headers of requests that no trusted proxy handed on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not visitor.from_trusted_proxy(request):
            for name in _FORWARDING:
                request.META.pop(name, None)
        return self.get_response(request)
