"""What surrounds every request: whom to believe, `request.consent`, the language."""

from consent.middleware.asking import ConsentMiddleware
from consent.middleware.language import LanguageMiddleware
from consent.middleware.proxies import TrustedProxyMiddleware
from consent.middleware.signing_in import follow_sign_in

__all__ = [
    "ConsentMiddleware",
    "LanguageMiddleware",
    "TrustedProxyMiddleware",
    "follow_sign_in",
]
