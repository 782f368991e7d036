"""A small internet on this machine: names, HTTPS, web servers, and the product.

Other *sites* are other registrable names. Chromium is told that every name is on this
machine (`--host-resolver-rules`), and nginx answers for all of them under a throw-away
certificate: with files, or by handing on to the product as it runs in production.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from playwright.sync_api import BrowserContext, Page, Playwright

import bootstrap
from tests.browser.conftest import FLAGS, Console

CONFIGURATION: Final = """
{user}daemon off; pid {folder}/pid; error_log {folder}/log;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  types {{ text/html html; text/javascript js; }}
  ssl_certificate {folder}/certificate.pem;
  ssl_certificate_key {folder}/certificate.pem;
  proxy_set_header Host $host;
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Proto https;
  {servers}
}}
"""
FILES: Final = """server {{
  listen 127.0.0.1:{port} ssl;
  server_name {name};
  root {folder}/{name};
  {more}
}}
"""
# A page as it was before anybody thought of consent.
BEFORE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Shop</title>
<link rel="icon" href="data:,">
</head>
<body>
<h1>Shop</h1>
<script src="/counter.js"></script>
<script src="/adverts.js"></script>
<a href="/second.html">Our second page</a>
</body>
</html>
"""
LINES: Final = re.compile(
    r"^### Anything else: two lines\n+```html\n(.*?)^```", re.MULTILINE | re.DOTALL
)
# How the product is put at a path of a host: the path itself is not handed on.
HANDED_ON: Final = "location {path}/ {{ proxy_pass http://127.0.0.1:{port}/; }}"
# Sets a cookie for pages of every site, and says which cookies it was sent.
CONTROL: Final = """
  location /control/ {
    add_header Access-Control-Allow-Origin $http_origin;
    add_header Access-Control-Allow-Credentials true;
    add_header Set-Cookie "control=1; SameSite=None; Secure; Path=/control/";
    default_type text/plain;
    return 200 "$http_cookie";
  }
"""


def certificate(folder: Path, names: list[str]) -> str:
    """Write a certificate for some names; the hash of its key, as Chromium wants it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(n) for n in names]),
            critical=False,
        )
        .sign(key, SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "certificate.pem").write_bytes(secret + made.public_bytes(Encoding.PEM))
    public = key.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(hashlib.sha256(public).digest()).decode()


class Installation:
    """The product as it is served, with a database and a folder of its own."""

    def __init__(self, folder: Path, hosts: list[str], **settings: str) -> None:
        self.folder = folder
        self.database = folder / "db.sqlite3"
        self.port = bootstrap.unused_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.environment = {
            **{
                name: os.environ[name]
                for name in ("PATH", "HOME")
                if name in os.environ
            },
            **bootstrap.production(str(folder)),
            "ALLOWED_HOSTS": ",".join([*hosts, "127.0.0.1"]),
            "DJANGO_SETTINGS_MODULE": "settings",
            "GEOIP_MAX_AGE_DAYS": "0",
            "TRUSTED_PROXIES": "127.0.0.1",
            **settings,
        }

    def manage(self, *words: str, **given: Any) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=bootstrap.ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            **given,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def prepare(self, sites: list[dict[str, Any]]) -> None:
        """Tables, files, and sites that have published the demo's policy."""
        self.folder.mkdir(mode=0o700)
        self.manage("migrate", "-v", "0")
        self.manage("collectstatic", "--noinput", "-v", "0")
        program = "from tests.browser.internet import publish; publish()"
        shell = ("shell", "--no-imports", "-c", program)
        self.manage(*shell, input=json.dumps(sites))

    def start(self) -> None:
        granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"]
        address = ["--host", "127.0.0.1", "--port", str(self.port)]
        self.process = subprocess.Popen(
            [*granian, *address, "--log-level", "error", "settings.wsgi:application"],
            cwd=bootstrap.ROOT,
            env=self.environment,
            start_new_session=True,
        )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz").close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("the product did not start")

    def stop(self) -> None:
        """End it at once, as a crash does."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)

    def records(self, site: str) -> list[dict[str, Any]]:
        """The consent records of a site, oldest first."""
        question = (
            "SELECT c.canonical FROM consent_content c JOIN consent_entry e "
            "ON c.entry_id = e.id JOIN consent_site s ON e.site_id = s.id "
            "WHERE c.kind = 'consent' AND s.slug = ? ORDER BY e.time"
        )
        with sqlite3.connect(self.database, timeout=10) as rows:
            found = rows.execute(question, [site]).fetchall()
        rows.close()
        return [json.loads(text) for (text,) in found]


def publish() -> None:
    """Make the sites that stand on the standard input, and publish their policy.

    Runs inside the installation.
    """
    from consent import publication  # noqa: PLC0415 - once Django is set up
    from consent.management.demo_site import POLICY, SITE  # noqa: PLC0415
    from consent.models import Site  # noqa: PLC0415

    for about in json.load(sys.stdin):
        languages = {"languages": ["en"], "unreviewed_languages": []}
        site = Site.objects.create(**{**SITE, **languages, **about})
        publication.publish(site=site, document=POLICY, at=datetime.now(UTC), by=None)


class Internet:
    """Hosts, each with its files and with what its server does besides."""

    def __init__(self, folder: Path, hosts: dict[str, str]) -> None:
        self.folder = folder
        self.port = bootstrap.unused_port()
        self.key = certificate(folder, list(hosts))
        servers = [
            FILES.format(port=self.port, name=name, folder=folder, more=more)
            for name, more in hosts.items()
        ]
        for name in hosts:
            (folder / name).mkdir()
        (folder / "nginx.conf").write_text(
            CONFIGURATION.format(
                user="user root; " if os.getuid() == 0 else "",
                folder=folder,
                servers="".join(servers),
            )
        )

    def write(self, host: str, name: str, text: str) -> None:
        (self.folder / host / name).write_text(text)

    @property
    def flags(self) -> list[str]:
        """What tells Chromium of this internet."""
        return [
            f"--host-resolver-rules=MAP * 127.0.0.1:{self.port}",
            f"--ignore-certificate-errors-spki-list={self.key}",
        ]

    @contextmanager
    def served(self) -> Iterator[None]:
        program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        if program is None:
            reason = "nginx is not installed"
            pytest.fail(reason) if bootstrap.in_ci() else pytest.skip(reason)
        process = subprocess.Popen(
            [program, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")],
            stderr=subprocess.DEVNULL,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=10)


type Browsers = Callable[..., BrowserContext]


@contextmanager
def new_browsers(
    playwright: Playwright, internet: Internet, folder: Path, console: Console
) -> Iterator[Browsers]:
    """Browsers of new people, who block third-party cookies if nothing else is said."""
    opened: list[BrowserContext] = []

    def new(*, blocking: bool = True, **options: Any) -> BrowserContext:
        profile = folder / f"profile-{len(opened)}"
        (profile / "Default").mkdir(parents=True)
        preferences = {"profile": {"cookie_controls_mode": int(blocking)}}
        (profile / "Default/Preferences").write_text(json.dumps(preferences))
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=bootstrap.browser(),
            args=[*FLAGS, *internet.flags],
            **options,
        )
        context.set_default_timeout(10_000)
        console.watch(context)
        opened.append(context)
        return context

    yield new
    for context in opened:
        context.close()
    assert console.complaints == []


def two_lines(home: str, site: str = "") -> list[str]:
    """The lines that docs/client.md tells to write, with this backend's address."""
    [found] = LINES.findall((bootstrap.ROOT / "docs/client.md").read_text())
    text = found.replace("https://consent.example.org", home)
    if site:
        text = text.replace("></script>", f' data-site="{site}"></script>')
    return text.splitlines()


def after(lines: list[str]) -> str:
    """The page with the lines, and with its scripts marked."""
    text = BEFORE.replace("</head>", "\n".join([*lines, "</head>"]))
    for purpose, name in (("analytics", "counter"), ("marketing", "adverts")):
        plain = f'<script src="/{name}.js">'
        kind = f'type="text/plain" data-consent="{purpose}"'
        text = text.replace(plain, f'<script {kind} data-src="/{name}.js">')
    return text


def write(internet: Internet, host: str, page: str) -> None:
    for name in ("index.html", "second.html"):
        internet.write(host, name, page)
    for name in ("counter.js", "adverts.js"):
        internet.write(host, name, f'(window.ran ??= []).push("{name}");')


def ran(page: Page) -> list[str]:
    return page.evaluate("window.ran ?? []")


def settled(page: Page) -> Page:
    page.wait_for_timeout(300)
    return page
