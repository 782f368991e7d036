"""Who is to be asked: settings that cannot be understood are refused by number."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from consent.core.signed_note import verifier_key
from tests.anchors.asking import NAME, VKEY
from tests.anchors.authority import Authority

ROOT = Path(__file__).parents[2]
URL = "https://witness.example/"


def found() -> dict[str, str]:
    """What the checks say: number and sentence."""
    return {message.id: message.msg for message in run_checks(tags=["consent"])}


@pytest.fixture
def root(tmp_path: Path) -> str:
    path = tmp_path / "root.pem"
    path.write_bytes(Authority().pem)
    return str(path)


# --- E015 ----------------------------------------------------------------------------

NO_ADDRESSES = [
    *("tsa.example", "https://", "https:///tsr", "ftp://tsa.example/", "file:///tsr"),
    *("tsa.example/tsr", "https://user:word@tsa.example/", "https://[::1/"),
    *("https://tsa.example:port/", "https://tsa.example/ä", "https://tsa.example/a b"),
    *("https://tsa.example/#x", "https://tsa.example/\nx", "javascript:alert(1)"),
    f"https://{'a' * 256}/",
]


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_e015_whoever_is_asked_has_an_address(
    settings: Settings, root: str, url: str
) -> None:
    settings.CONSENT_TIMESTAMP_CA = root
    settings.CONSENT_TIMESTAMP_URL = url
    assert "CONSENT_TIMESTAMP_URL" in found()["consent.E015"]
    settings.CONSENT_TIMESTAMP_URL = ""
    settings.CONSENT_WITNESSES = [{"url": url, "key": VKEY}]
    assert "witness 1" in found()["consent.E015"]


def test_an_authority_may_be_asked_in_the_clear_and_a_witness_may_not(
    settings: Settings, root: str
) -> None:
    settings.CONSENT_TIMESTAMP_CA = root
    settings.CONSENT_TIMESTAMP_URL = "http://tsa.example/tsr"
    assert "consent.E015" not in found()
    settings.CONSENT_WITNESSES = [{"url": "http://witness.example/", "key": VKEY}]
    assert "witness 1" in found()["consent.E015"]


@pytest.mark.parametrize(
    ("url", "debug"),
    [
        ("https://tsa.example/tsr", False),
        ("https://tsa.example:8443/a/b?c=d", False),
        ("http://localhost:8000/", False),
        ("http://127.0.0.1/", False),
        ("http://[::1]:8000/", False),
        ("http://tsa.example/", True),
    ],
)
def test_good_addresses_are_not_refused(
    settings: Settings, root: str, url: str, debug: bool
) -> None:
    settings.DEBUG = debug
    settings.CONSENT_TIMESTAMP_CA = root
    settings.CONSENT_TIMESTAMP_URL = url
    settings.CONSENT_WITNESSES = [{"url": url, "key": VKEY}]
    assert {"consent.E015", "consent.W031"}.isdisjoint(found())


def test_e015_time_stamps_are_held_against_a_root(
    settings: Settings, tmp_path: Path
) -> None:
    settings.CONSENT_TIMESTAMP_URL = "https://tsa.example/"
    assert "CONSENT_TIMESTAMP_CA is not" in found()["consent.E015"]
    stamps = Authority()
    leaf = stamps.certificate_pem
    for content, says in {
        b"": "no certificate",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n": "no cert",
        b"\xff\x00": "no certificate",
        leaf: "no root",
    }.items():
        path = tmp_path / "some.pem"
        path.write_bytes(content)
        settings.CONSENT_TIMESTAMP_CA = str(path)
        assert says in found()["consent.E015"]
        assert "some.pem" in found()["consent.E015"]
    settings.CONSENT_TIMESTAMP_CA = str(tmp_path / "missing.pem")
    assert "cannot be read" in found()["consent.E015"]
    path.write_bytes(stamps.pem + leaf)
    settings.CONSENT_TIMESTAMP_CA = str(path)
    assert "consent.E015" not in found()


LOG_KEY = verifier_key(name=NAME, public=bytes(32))
LONG_KEY = verifier_key(name="w" * 256, public=bytes(32), algorithm=4)


@pytest.mark.parametrize(
    ("witnesses", "says"),
    [
        ([{}], "witness 1 must be"),
        ([{"url": URL}], "witness 1 must be"),
        ([{"url": 5, "key": VKEY}], "witness 1 must be"),
        ([{"url": URL, "key": None}], "witness 1 must be"),
        ([{"url": URL, "key": VKEY, "name": "w"}], "witness 1 must be"),
        ([{"key": VKEY}, {"url": URL, "key": "witness"}], "witness 2: its key"),
        ([{"url": URL, "key": VKEY[:-4]}], "its key is wrong"),
        ([{"url": URL, "key": VKEY.replace("w1", "w2")}], "its key is wrong"),
        ([{"url": URL, "key": LOG_KEY}], "the key of a log"),
        ([{"url": URL, "key": LONG_KEY}], "too long"),
        ([{"url": URL, "key": VKEY}, {"key": VKEY}], "twice"),
        (
            [
                {"url": URL, "key": VKEY},
                {
                    "url": URL,
                    "key": verifier_key(name=NAME, public=bytes(32), algorithm=4),
                },
            ],
            "twice",
        ),
    ],
)
def test_e015_a_witness_is_an_address_and_a_key(
    settings: Settings, witnesses: list[dict[str, Any]], says: str
) -> None:
    settings.CONSENT_WITNESSES = witnesses
    assert says in found()["consent.E015"]


def test_a_witness_may_have_retired_keys(settings: Settings) -> None:
    older = verifier_key(name=NAME, public=bytes(32), algorithm=4)
    settings.CONSENT_WITNESSES = [{"url": URL, "key": VKEY}, {"key": older}]
    assert "consent.E015" not in found()


# --- W031 ----------------------------------------------------------------------------


def test_w031_a_served_log_that_nobody_vouches_for_is_told(settings: Settings) -> None:
    settings.DEBUG = False
    assert "rewrite" in found()["consent.W031"]
    settings.CONSENT_WITNESSES = [{"key": VKEY}]  # retired: nobody is asked
    assert "consent.W031" in found()
    settings.CONSENT_WITNESSES = [{"url": URL, "key": VKEY}]
    assert "consent.W031" not in found()
    settings.CONSENT_WITNESSES = []
    settings.DEBUG = True
    assert "consent.W031" not in found()


# --- from the environment ------------------------------------------------------------


def check(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    data = {"DEBUG": "1", "CONSENT_DATA_DIR": str(tmp_path)}
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**kept, **data, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_settings_are_read_from_the_environment(tmp_path: Path, root: str) -> None:
    good = {
        "CONSENT_TIMESTAMP_URL": "https://tsa.example/",
        "CONSENT_TIMESTAMP_CA": root,
        "CONSENT_WITNESSES": json.dumps([{"url": URL, "key": VKEY}]),
        "CONSENT_ANCHOR_SECONDS": "60",
    }
    done = check(tmp_path, **good)
    assert done.returncode == 0, done.stderr
    wrong = {"CONSENT_ANCHOR_SECONDS": "soon", "CONSENT_WITNESSES": '["w"]'}
    done = check(tmp_path, **wrong)
    assert done.returncode == 1
    assert done.stderr.count("(consent.E001)") == len(wrong)
    done = check(tmp_path, CONSENT_TIMESTAMP_URL="http://tsa.example/")
    assert done.returncode == 1
    assert "(consent.E015)" in done.stderr
