"""The product in a process of its own, and people who said yes and no to it."""

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from typing import Any

import pytest
from consent_client import Consent, browser_of, identity_token

from tests.served import Server
from tests.visits import ALL, NONE, body

ISSUER, AUDIENCE, KID = "https://shop.example", "consent", "mine"


@dataclass
class Product:
    """A server that was prepared, with a key of each kind."""

    server: Server
    key: str
    secret: str

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def asked(self, **options: Any) -> Consent:
        return Consent(self.address, self.key, **{"cache_seconds": 0, **options})

    def token(self, *, user: str, cookie: str, **changes: Any) -> str:
        """What a page of the site's gets of its own backend."""
        whole: dict[str, Any] = {
            "key": self.secret,
            "kid": KID,
            "algorithm": "HS256",
            "issuer": ISSUER,
            "audience": AUDIENCE,
            "user": user,
            "browser": browser_of(cookie),
        }
        return identity_token(**whole | changes)


@dataclass
class Browser:
    """Somebody's browser, on the site's own pages."""

    address: str
    jar: CookieJar = field(default_factory=CookieJar)

    def post(self, path: str, content: Any) -> dict[str, Any]:
        own = {"Origin": self.address, "Content-Type": "application/json"}
        request = urllib.request.Request(
            self.address + path, json.dumps(content).encode(), own
        )
        keeping = urllib.request.HTTPCookieProcessor(self.jar)
        with urllib.request.build_opener(keeping).open(request, timeout=20) as response:
            found: dict[str, Any] = json.load(response)
        return found

    @property
    def cookie(self) -> str:
        """The value of `consent_id`, which only the site's servers see."""
        return next(c.value or "" for c in self.jar if c.name == "consent_id")

    def choose(self, purposes: dict[str, bool]) -> None:
        self.post("/api/v1/choices", body(purposes))

    def sign_in(self, product: Product, user: str) -> dict[str, Any]:
        """The page asks for the browser's name, and hands over what vouches for it."""
        self.post("/api/v1/identities", {})
        token = product.token(user=user, cookie=self.cookie)
        return self.post("/api/v1/identities", {"token": token})


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Product:
    """The demo, in which 17 said yes to everything and 18 no."""
    server = Server(tmp_path_factory.mktemp("product") / "data")
    server.prepare()
    scope = ("--site", "default", "--name", "tests", "--scope", "permissions")
    key = server.manage("make_api_key", *scope).split()[0]
    vouching = ("--site", "default", "--kid", KID, "--algorithm", "HS256")
    claims = ("--issuer", ISSUER, "--audience", AUDIENCE)
    secret = server.manage("make_identity_key", *vouching, *claims).split()[-1]
    made = Product(server, key, secret)
    with server.running():
        for user, purposes in (("17", ALL), ("18", NONE)):
            browser = Browser(made.address)
            browser.choose(purposes)
            browser.sign_in(made, user)
    return made


@pytest.fixture
def live(product: Product) -> Iterator[Product]:
    with product.server.running():
        yield product
