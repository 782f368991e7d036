"""Two people behind one shared cache: nobody's choice or cookie reaches the other."""

import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

import bootstrap
from tests.browser.steps import accept, banner, ready, until

pytestmark = pytest.mark.usefixtures("shop")

CONFIGURATION = """
{user}daemon off; pid {folder}/pid; error_log {folder}/log;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  proxy_cache_path {folder}/cache keys_zone=pages:1m;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass {upstream};
      proxy_set_header Host $http_host;
      proxy_cache pages; proxy_cache_key $uri$is_args$args;
      add_header X-Cache $upstream_cache_status always;
    }}
  }}
}}
"""


@pytest.fixture
def cache(live_server: Any, tmp_path: Path) -> Iterator[str]:
    """The address of an nginx that caches what it is allowed to."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        reason = "nginx is not installed"
        pytest.fail(reason) if bootstrap.in_ci() else pytest.skip(reason)
    port = bootstrap.unused_port()
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(
        CONFIGURATION.format(
            user="user root; " if os.getuid() == 0 else "",
            folder=tmp_path,
            port=port,
            upstream=str(live_server).replace("localhost", "127.0.0.1"),
        )
    )
    command = [program, "-p", str(tmp_path), "-c", str(configuration)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield answering(f"http://localhost:{port}")
    finally:
        process.terminate()
        process.wait(timeout=10)


def answering(address: str) -> str:
    for _ in range(100):
        try:
            urllib.request.urlopen(f"{address}/healthz", timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return address
    raise AssertionError("nginx does not answer")


def fetched(url: str) -> tuple[bytes, dict[str, str]]:
    # As the browser asks: a page may differ by language.
    request = urllib.request.Request(url, headers={"Accept-Language": "en-US"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read(), {k.lower(): v for k, v in answer.headers.items()}


def test_what_one_person_chose_is_not_what_the_next_one_gets(
    new_context: Callable[..., BrowserContext], cache: str
) -> None:
    first = ready(new_context().new_page(), f"{cache}/cached/")
    accept(first)
    until(first, "window.ran?.length == 2")
    ready(first, f"{cache}/cached/")
    assert first.evaluate("consent.get('analytics')") is True

    own = first.goto(f"{cache}/cached/")
    assert own is not None
    fetched(f"{cache}/cached/")
    body, headers = fetched(f"{cache}/cached/")
    assert headers["x-cache"] == "HIT"
    assert "set-cookie" not in headers
    assert body == own.body()

    second = new_context()
    page = ready(second.new_page(), f"{cache}/cached/")
    expect(banner(page)).to_be_visible()
    assert second.cookies() == []
    assert page.evaluate("window.ran ?? []") == []


def test_pages_made_for_one_person_are_never_kept(
    new_context: Callable[..., BrowserContext], cache: str
) -> None:
    first = ready(new_context().new_page(), f"{cache}/shop/")
    accept(first)
    until(first, "window.ran?.length == 2")
    ready(first, f"{cache}/shop/")
    paths = ("/shop/", "/api/v1/decision", "/cookie-preferences/", "/privacy-choices/")
    for path in paths * 2:
        _body, headers = fetched(f"{cache}{path}")
        assert headers["x-cache"] != "HIT", path
        assert "set-cookie" not in headers
    second = new_context()
    expect(banner(ready(second.new_page(), f"{cache}/shop/"))).to_be_visible()
    assert second.cookies() == []


def test_the_script_is_kept_and_is_the_same_for_everybody(cache: str) -> None:
    for path in ("/consent.js", "/consent.css"):
        body, _headers = fetched(f"{cache}{path}")
        again, headers = fetched(f"{cache}{path}")
        assert headers["x-cache"] == "HIT"
        assert again == body
