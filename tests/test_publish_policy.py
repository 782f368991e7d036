"""`manage.py publish_policy`: a site's next version from a file, or a clear error."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from consent.management.demo_site import POLICY
from consent.models import PolicyVersion, Site
from tests.test_faults import database_down
from tests.visits import decision, rows


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """A file with a policy that can be published."""
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(POLICY))
    return path


def publish(*arguments: Any) -> str:
    told = StringIO()
    call_command("publish_policy", *map(str, arguments), stdout=told)
    return told.getvalue()


def test_a_policy_is_published_and_its_version_and_hash_are_told(
    site: Site, parisian: Client, policy: Path
) -> None:
    told = publish("default", policy, "--note", "A new look.")
    last = PolicyVersion.objects.get(site=site, version=2)
    assert told == f"Published version 2 of default: {last.hash}\n"
    assert last.note == "A new look."
    assert decision(parisian)["policy"] == {"version": 2, "hash": last.hash}


def test_the_policy_of_the_readme_can_be_published(site: Site, tmp_path: Path) -> None:
    Site.objects.update(languages=["en"])
    text = (Path(__file__).parent.parent / "README.md").read_text()
    (tmp_path / "policy.json").write_text(text.split("```json\n")[1].split("```")[0])
    assert "Published version 2" in publish("default", tmp_path / "policy.json")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"\xff", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "must be an object"),
        (b"{}", "services must be a list"),
        (json.dumps({**POLICY, "services": [{}]}).encode(), "service 1: slug"),
        (json.dumps({**POLICY, "extra": 1.5}).encode(), "cannot be read"),
        (json.dumps({**POLICY, "extra": float("nan")}).encode(), "cannot be read"),
    ],
)
def test_a_file_that_holds_no_policy_is_refused_in_a_sentence(
    site: Site, tmp_path: Path, content: bytes, told: str
) -> None:
    (tmp_path / "policy.json").write_bytes(content)
    before = rows()
    with pytest.raises(CommandError, match=told):
        publish("default", tmp_path / "policy.json")
    assert rows() == before


def test_a_file_that_is_not_there_is_told(site: Site, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none\.json cannot be read: No such file"):
        publish("default", tmp_path / "none.json")


def test_a_site_that_is_not_there_is_told_with_those_that_are(
    site: Site, policy: Path
) -> None:
    with pytest.raises(CommandError, match=r"no site shop\. Sites: default\."):
        publish("shop", policy)


def test_a_site_that_names_nobody_responsible_publishes_nothing(
    site: Site, policy: Path
) -> None:
    site.controller_name = ""
    site.save()
    with pytest.raises(CommandError, match="controller_name"):
        publish("default", policy)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_down_is_told(site: Site, policy: Path) -> None:
    with database_down(), pytest.raises(CommandError, match="database refused"):
        publish("default", policy)
