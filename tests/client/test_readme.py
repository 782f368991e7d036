"""The README's examples, each run as it stands there against the product."""

import json
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import consent_client
import pytest
from consent_client import browser_of

import bootstrap
from consent.core import webhook_message
from tests.client.conftest import Browser, Product
from tests.served import ROOT

pytestmark = [pytest.mark.toolchain, pytest.mark.xdist_group("client")]

TEXT = (ROOT / "clients/python/README.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECRET = webhook_message.new_secret(b"a secret of the tests, 32 bytes.")
CALLS = re.compile(r"^curl .*?(?:[^\\]\n(?! ))", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(TEXT) if kind == language]


def here(text: str, product: Product) -> str:
    return text.replace("https://consent.example.org", product.address)


@dataclass
class Request:
    """What the examples take of any framework's request."""

    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    cookies: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def examples(
    live: Product, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> SimpleNamespace:
    """Everything that the Python examples define, after all of them ran."""
    monkeypatch.setenv("CONSENT_KEY", live.key)
    monkeypatch.setenv("IDENTITY_KEY", live.secret)
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    names: dict[str, Any] = {}
    for text in blocks("python"):
        exec(compile(here(text, live), "README.md", "exec"), names)
    return SimpleNamespace(**names, printed=capsys.readouterr().out)


def test_the_python_examples_say_yes_to_who_said_yes(
    examples: SimpleNamespace,
) -> None:
    assert len(blocks("python")) == 5
    assert "Yes, this person said so." in examples.printed
    assert "True granted 20" in examples.printed
    assert examples.may_get_mail == ["17"]


def test_the_example_vouches_for_a_user(
    examples: SimpleNamespace, live: Product
) -> None:
    browser = Browser(live.address)
    browser.post("/api/v1/identities", {})
    request = Request(cookies={"consent_id": browser.cookie})
    token = examples.token_for(request, "21")
    told = browser.post("/api/v1/identities", {"token": token})
    assert told["linked"] is True


def test_the_example_hears_of_changes(examples: SimpleNamespace) -> None:
    consent = examples.consent
    identity = consent.permission(user="17", purpose="analytics").identity
    content = webhook_message.changed(
        id="msg_1",
        record={
            "site": "default",
            "time": "2026-11-23T11:59:58.000Z",
            "event": "refused",
            "purposes": {"analytics": False},
            "services": {},
            "policy": {"version": 1},
        },
        person=webhook_message.Person(identity=identity),
        leaf_hash="af" * 32,
        position=webhook_message.Position(log=1, index=17),
        scope=None,
    )

    def told(**changes: Any) -> Request:
        body = json.dumps({**content, **changes}).encode()
        at = int(time.time())
        signed = webhook_message.signed_headers(
            id="msg_1", at=at, body=body, secrets=[SECRET]
        )
        return Request(headers=signed, body=body)

    before = consent._mine().remembered.forgettings
    assert examples.webhook(told()) == 204
    assert consent._mine().remembered.forgettings == before + 1
    assert examples.webhook(told(type="policy.published")) == 204
    assert examples.webhook(Request(headers=told().headers, body=b"{}")) == 400


def test_each_call_of_curl_is_answered(live: Product) -> None:
    if shutil.which("curl") is None:
        reason = "curl is not installed"
        pytest.fail(reason) if bootstrap.in_ci() else pytest.skip(reason)
    browser = Browser(live.address)
    browser.post("/api/v1/identities", {})
    cookie = browser.cookie
    environment = {
        **os.environ,
        "CONSENT_KEY": live.key,
        "CONSENT_ID": cookie,
        "TOKEN": live.token(user="22", cookie=cookie),
    }
    answers = []
    calls = [call for text in blocks("sh") for call in CALLS.findall(text + "\n")]
    for call in calls:
        done = subprocess.run(
            ["sh", "-c", here(call, live).replace("curl", "curl -sS --fail-with-body")],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, call + done.stdout + done.stderr
        answers.append(json.loads(done.stdout))
    one, by_address, two, named, linked, unlinked = answers
    assert one == {"answers": [by_address]}
    assert by_address["allowed"] is True
    assert [answer["allowed"] for answer in two["answers"]] == [True, False]
    assert named["linked"] is False
    assert (linked["linked"], linked["browser"]) == (True, browser_of(cookie))
    assert unlinked["linked"] is False


def test_the_commands_are_those_of_the_product(live: Product) -> None:
    commands = [
        line.removeprefix("python manage.py ").split()
        for text in blocks("sh")
        for line in text.replace("\\\n", " ").splitlines()
        if line.startswith("python manage.py ")
    ]
    assert [command[0] for command in commands] == ["make_api_key", "make_identity_key"]
    named = [word.replace("mine", "readme") for word in commands[1]]
    assert live.server.manage(*(word.strip('"') for word in commands[0]))
    assert live.server.manage(*named)


def test_every_option_and_error_is_told_of() -> None:
    for name in consent_client.__all__:
        if name not in {"Permission", "Position"}:
            assert f"{name}" in TEXT, name
    options = consent_client.Consent.__init__.__kwdefaults__
    for name, default in options.items():
        assert f"{name}=" in TEXT, name
        if default not in (None, False):
            assert re.search(rf"{name}={default:_}", TEXT), name
