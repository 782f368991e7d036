"""Numbered system checks: wrong settings are refused with a sentence that helps."""

import base64
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ValidationError
from pytest_django import Settings

from consent import keys
from consent.models import Site
from settings import environment

ROOT = Path(__file__).parent.parent
GEOIP = Path(__file__).parent / "data" / "geoip"
STRICT = {
    "place": "*",
    "model": "notice",
    "by": "the operator",
    "reason": "a test",
    "accept_unknown_without_banner": "unknown visitors are not asked here",
}


def found(*tags: str, **options: Any) -> dict[str, str]:
    """What the checks say: number and sentence."""
    messages = run_checks(tags=list(tags) or ["consent"], **options)
    return {message.id: message.msg for message in messages}


def on_database() -> dict[str, str]:
    return found("database", databases=["default"])


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of the product in a process of its own, with its own environment."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**kept, "DEBUG": "1", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> dict[str, str]:
    return {"CONSENT_DATA_DIR": str(tmp_path / "data")}


def test_the_settings_of_the_tests_have_nothing_wrong(site: Site) -> None:
    assert {name for name in found() if name.startswith("consent.E")} == set()
    assert on_database() == {}


# --- E001: values that cannot be understood -----------------------------------------

WRONG = {
    "DEMO": "perhaps",
    "GEOIP_MAX_AGE_DAYS": "-1",
    "CONSENT_RETENTION_DAYS": "three years",
    "CONSENT_SEAL": "later",
    "CONSENT_RULE_OVERRIDES": '{"place": "FR"}',
    "TRACKING_STRATEGY": "loging",
    "TRUSTED_PROXY_HEADER": "X-Real-IP",
    "SECURE_HSTS_SECONDS": "1e6",
    "CACHE_URL": "nonsense",
    "FORCE_SCRIPT_NAME": "/consent/",
    "CONSENT_COOKIE_NAME": "$NOT_SET_ANYWHERE",
    "SEGMENT_WRITE_KEY_FILE": "/no/such/file",
}


def test_every_value_that_cannot_be_understood_is_refused_with_its_name(
    folder: dict[str, str],
) -> None:
    done = run("manage.py", "check", **WRONG, **folder)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for name in WRONG:
        assert name.removesuffix("_FILE") in done.stderr
    assert done.stderr.count("(consent.E001)") == len(WRONG)


@pytest.mark.parametrize("path", ["consent", "/", "/a//b", "/a.b", "https://a/b"])
def test_a_path_that_is_none_is_noted_and_not_used(
    problems: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("FORCE_SCRIPT_NAME", path)
    assert environment.path("FORCE_SCRIPT_NAME") == ""
    assert [name for name, _sentence in problems] == ["FORCE_SCRIPT_NAME"]


@pytest.fixture
def problems(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What reading the environment notes, apart from what it noted at the start."""
    noted: list[tuple[str, str]] = []
    monkeypatch.setattr(environment, "PROBLEMS", noted)
    return noted


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "mysql://user:hush@host/name",
        "http://host/name",
        "postgres://user:hush@host:port/name",
        "postgres://user:hu#sh@host:99999/name",
    ],
)
@pytest.mark.filterwarnings("ignore:Engine not recognized")
def test_a_database_that_is_not_understood_is_noted_without_its_secret(
    problems: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    used = environment.database("DATABASE_URL", "sqlite:////no/where")
    assert used["NAME"] == "/no/where"
    ((name, sentence),) = problems
    assert name == "DATABASE_URL"
    assert "hush" not in sentence


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe\x00"])
def test_a_kept_secret_that_was_damaged_is_noted(
    problems: list[tuple[str, str]], tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "some-secret").write_bytes(content)
    used = environment.kept_secret("SOME_SECRET", tmp_path, lambda: "fresh")
    assert used == "fresh"
    ((name, sentence),) = problems
    assert name == "SOME_SECRET"
    assert "some-secret" in sentence
    assert (tmp_path / "some-secret").read_bytes() == content


@pytest.mark.parametrize("value", ["$SOME_TEXT", "$NOT_SET", "$$"])
def test_a_value_that_names_no_other_variable_is_noted(
    problems: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("SOME_TEXT", value)
    assert environment.text("SOME_TEXT", "default") == "default"
    assert [name for name, _ in problems] == ["SOME_TEXT"]


def test_a_file_that_holds_no_text_is_noted(
    problems: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    monkeypatch.setenv("SOME_TEXT_FILE", str(tmp_path / "bytes"))
    assert environment.text("SOME_TEXT") == ""
    assert [name for name, _ in problems] == ["SOME_TEXT"]


def test_a_secret_that_cannot_be_kept_keeps_the_server_from_starting(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    blocked = {"CONSENT_DATA_DIR": str(tmp_path / "file" / "data")}
    done = run("-c", "import settings.wsgi", **blocked)
    assert done.returncode == 1
    assert "(consent.E001) SECRET_KEY is not set" in done.stderr
    assert "(consent.E001) CONSENT_SIGNING_KEY is not set" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_secret_may_stand_in_a_file(tmp_path: Path, folder: dict[str, str]) -> None:
    secret = tmp_path / "key"
    secret.write_text("s" * 60 + "\n")
    code = "from settings import SECRET_KEY; print(SECRET_KEY)"
    done = run("-c", code, SECRET_KEY_FILE=str(secret), **folder)
    assert done.stdout == "s" * 60 + "\n"


def test_secrets_are_made_once_and_kept_for_nobody_else(folder: dict[str, str]) -> None:
    code = "import settings as s; print(s.SECRET_KEY, s.CONSENT_SIGNING_KEY)"
    first, second = (run("-c", code, **folder).stdout for _ in range(2))
    assert first == second
    kept = Path(folder["CONSENT_DATA_DIR"])
    assert kept.stat().st_mode & 0o777 == 0o700
    for name in ("secret-key", "consent-signing-key"):
        assert (kept / name).stat().st_mode & 0o777 == 0o600
        assert (kept / name).read_text() in first


def test_no_signing_key_is_made_where_people_are_served(
    folder: dict[str, str],
) -> None:
    done = run("-c", "import settings.wsgi", DEBUG="0", **folder)
    assert done.returncode == 1
    assert "(consent.E001) CONSENT_SIGNING_KEY is not set" in done.stderr
    assert "make_signing_key" in done.stderr
    assert not (Path(folder["CONSENT_DATA_DIR"]) / "consent-signing-key").exists()


def test_a_signing_key_is_made_in_a_private_file_and_never_over_another(
    tmp_path: Path, folder: dict[str, str]
) -> None:
    path = tmp_path / "key"
    made = run("manage.py", "make_signing_key", str(path), DEBUG="0", **folder)
    assert made.returncode == 0, made.stderr
    assert path.stat().st_mode & 0o777 == 0o600
    key = path.read_text()
    assert len(base64.b64decode(key.strip(), validate=True)) == 32
    assert key.strip() not in made.stdout
    again = run("manage.py", "make_signing_key", str(path), DEBUG="0", **folder)
    assert again.returncode == 1
    assert "there already" in again.stderr
    assert path.read_text() == key


@pytest.mark.parametrize("name", ["CONSENT_SIGNING_KEY", "CONSENT_RETIRING_KEY"])
@pytest.mark.parametrize(
    ("mode", "refused"), [(0o644, True), (0o602, True), (0o640, False)]
)
def test_e014_a_key_that_everybody_can_read_serves_development_alone(
    tmp_path: Path, folder: dict[str, str], name: str, mode: int, refused: bool
) -> None:
    path = tmp_path / "key"
    path.write_text(keys.new_key())
    path.chmod(mode)
    start = ("-c", "import settings.wsgi")
    other = {"CONSENT_SIGNING_KEY": keys.new_key()}
    named = {**other, f"{name}_FILE": str(path), **folder}
    served = run(*start, DEBUG="0", **named)
    assert ("consent.E014" in served.stderr) is refused, served.stderr
    assert served.returncode == refused
    assert run(*start, DEBUG="1", **named).returncode == 0


# --- E002 to E007: values that can be understood and are wrong -----------------------


@pytest.mark.parametrize(
    "proxies", [["10.0.0.0/33"], ["localhost"], ["10.0.0.1-9"], ["::1", "x"], ["*"]]
)
def test_e002_proxies_are_addresses_and_blocks(
    settings: Settings, proxies: list[str]
) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert "TRUSTED_PROXIES" in found()["consent.E002"]


@pytest.mark.parametrize("name", ["GEO_COUNTRY_HEADER", "GEO_SUBDIVISION_HEADER"])
@pytest.mark.parametrize("header", ["CF_IPCountry", "CF IPCountry"])
def test_e003_a_header_name_has_no_underscore(
    settings: Settings, name: str, header: str
) -> None:
    setattr(settings, name, header)
    assert name in found()["consent.E003"]


def test_e004_the_demo_runs_only_with_debug(settings: Settings) -> None:
    settings.DEMO = True
    settings.DEBUG = False
    assert "consent.E004" in found()
    settings.DEBUG = True
    assert "consent.E004" not in found()


@pytest.mark.parametrize(
    "key",
    [
        "",
        "short",
        "not base64 at all!",
        base64.b64encode(b"x" * 31).decode(),
        base64.b64encode(b"x" * 64).decode(),
    ],
)
def test_e005_the_signing_key_is_32_bytes(settings: Settings, key: str) -> None:
    settings.CONSENT_SIGNING_KEY = key
    sentence = found()["consent.E005"]
    assert "CONSENT_SIGNING_KEY" in sentence
    assert not key or key not in sentence


@pytest.mark.parametrize(
    "override",
    [
        {},
        {"place": "FR"},
        {"place": "FR", "model": "none"},
        {"place": "QQ", "model": "opt_in", "by": "x", "reason": "y"},
        {k: v for k, v in STRICT.items() if not k.startswith("accept")},
    ],
)
def test_e006_overrides_can_be_applied(settings: Settings, override: dict) -> None:
    settings.CONSENT_RULE_OVERRIDES = [override]
    assert "CONSENT_RULE_OVERRIDES" in found()["consent.E006"]
    assert "override 1" in found()["consent.E006"]


def test_e007_segment_needs_its_key(settings: Settings) -> None:
    settings.TRACKING_STRATEGY = "segment"
    assert "consent.E007" in found()
    settings.SEGMENT_WRITE_KEY = "key"
    assert "consent.E007" not in found()


@pytest.mark.parametrize(
    "name", ["", "my consent", "consent;", "consent=", "é", "a\nb", "path", "Max-Age"]
)
def test_e008_the_cookies_name_can_name_a_cookie(settings: Settings, name: str) -> None:
    settings.CONSENT_COOKIE_NAME = name
    assert "CONSENT_COOKIE_NAME" in found()["consent.E008"]


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("consent_session", "consent_session"),
        ("consent_csrf", "consent_csrf"),
        ("messages", "messages"),
        ("django_language", "django_language"),
        ("visit", "visit_id"),
    ],
)
def test_e009_the_cookies_name_is_nobody_elses(
    settings: Settings, name: str, taken: str
) -> None:
    if taken == "visit_id":
        settings.SESSION_COOKIE_NAME = "visit_id"
    settings.CONSENT_COOKIE_NAME = name
    assert taken in found()["consent.E009"]


NO_DOMAINS = [
    *("com", "localhost", "127.0.0.1", "[::1]", "example.org:8000", "example..org"),
    *("https://example.org", "example.org/", "example.org; Secure", "-a.example"),
    *("exa mple.org", "example.org\n", "*.example.org", "a" * 64 + ".org"),
]


@pytest.mark.parametrize("domain", NO_DOMAINS)
def test_e010_the_cookies_domain_is_one(settings: Settings, domain: str) -> None:
    settings.CONSENT_COOKIE_DOMAIN = domain
    assert "CONSENT_COOKIE_DOMAIN" in found()["consent.E010"]


@pytest.mark.parametrize("domain", ["", "example.org", ".Example.org", "xn--bcher.de"])
def test_good_domains_are_not_refused(settings: Settings, domain: str) -> None:
    settings.CONSENT_COOKIE_DOMAIN = domain
    assert "consent.E010" not in found()


@pytest.mark.parametrize("name", ["GEO_COUNTRY_HEADER", "GEO_SUBDIVISION_HEADER"])
@pytest.mark.parametrize("header", ["CF-IPCountry:", "Größe", "a/b", "a,b"])
def test_e011_a_geo_header_is_the_name_of_a_header(
    settings: Settings, name: str, header: str
) -> None:
    setattr(settings, name, header)
    assert name in found()["consent.E011"]


@pytest.mark.parametrize(
    "host",
    ["https://example.org", "example.org/", "a b", "example.org:8000", "*.example.org"],
)
def test_e012_allowed_hosts_are_names_alone(settings: Settings, host: str) -> None:
    settings.ALLOWED_HOSTS = ["example.org", host]
    assert host in found()["consent.E012"]


def test_good_hosts_are_not_refused(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*", ".example.org", "a-b.example", "10.0.0.1", "[::1]"]
    assert "consent.E012" not in found()


@pytest.mark.parametrize(
    ("name", "value"),
    [("SECRET_KEY", "k" * 31), ("SECRET_KEY_FALLBACKS", ["k" * 50, "short"])],
)
def test_e013_a_secret_that_can_be_guessed_serves_development_alone(
    settings: Settings, name: str, value: Any
) -> None:
    setattr(settings, name, value)
    settings.DEBUG = True
    assert "consent.E013" not in found()
    settings.DEBUG = False
    sentence = found()["consent.E013"]
    assert name in sentence
    assert value[-1] * 5 not in sentence


# --- warnings: the server starts -----------------------------------------------------


def test_w001_a_geo_header_is_believed_from_trusted_proxies_alone(
    settings: Settings,
) -> None:
    assert "consent.W001" not in found()
    settings.TRUSTED_PROXIES = []
    assert "consent.W001" in found()


def test_w002_unknown_places_with_less_are_said_aloud(settings: Settings) -> None:
    settings.CONSENT_RULE_OVERRIDES = [STRICT]
    assert "consent.W002" in found()


@pytest.mark.parametrize(
    "name", ["missing.mmdb", "README.md", "GeoIP2-Anonymous-IP-Test.mmdb"]
)
def test_w010_a_geo_database_that_cannot_be_used_is_a_warning(
    settings: Settings, name: str
) -> None:
    settings.GEOIP_PATH = str(GEOIP / name)
    assert name in found()["consent.W010"]
    assert "unknown" in found()["consent.W010"]


def test_w010_a_geo_database_that_is_too_old_is_a_warning(settings: Settings) -> None:
    settings.GEOIP_MAX_AGE_DAYS = 1
    assert "GEOIP_MAX_AGE_DAYS" in found()["consent.W010"]


def test_w011_a_geo_database_of_more_than_two_months_is_told(
    settings: Settings,
) -> None:
    assert "days old" in found()["consent.W011"]


def test_w012_an_anonymiser_database_that_cannot_be_used_is_a_warning(
    settings: Settings,
) -> None:
    assert "consent.W012" not in found()
    settings.GEOIP_ANONYMOUS_PATH = str(GEOIP / "missing.mmdb")
    assert "missing.mmdb" in found()["consent.W012"]


# --- what only the database can tell --------------------------------------------------


def test_w020_a_product_without_a_site_says_so(db: None) -> None:
    assert set(on_database()) == {"consent.W020"}


def test_w021_a_site_that_published_nothing_is_named(site: Site) -> None:
    Site.objects.create(slug="quiet", name="Quiet")
    messages = on_database()
    assert set(messages) == {"consent.W021"}
    assert "quiet" in messages["consent.W021"]


def test_e021_a_sites_overrides_can_be_applied(site: Site) -> None:
    site.rule_overrides = [{"place": "FR", "model": "none"}]
    site.save()
    assert site.slug in on_database()["consent.E021"]


@pytest.mark.parametrize("overrides", [5, True, [5], ["FR"]])
def test_e021_overrides_that_are_no_list_of_objects_are_told(
    site: Site, overrides: Any
) -> None:
    site.rule_overrides = overrides
    site.save()
    assert site.slug in on_database()["consent.E021"]


@pytest.mark.parametrize("domain", NO_DOMAINS)
def test_e022_a_sites_cookie_domain_is_one(site: Site, domain: str) -> None:
    site.cookie_domain = domain
    site.save()
    assert site.slug in on_database()["consent.E022"]
    with pytest.raises(ValidationError, match="cookie_domain"):
        site.full_clean()


def test_e005_the_key_in_force_cannot_retire(settings: Settings) -> None:
    settings.CONSENT_RETIRING_KEY = settings.CONSENT_SIGNING_KEY
    assert "cannot retire" in found()["consent.E005"]
    settings.CONSENT_RETIRING_KEY = keys.new_key()
    assert "consent.E005" not in found()


def test_w032_a_folder_for_checkpoints_that_cannot_be_used_is_told(
    settings: Settings,
) -> None:
    settings.CONSENT_CHECKPOINT_DIR = Path("/proc/checkpoints")
    assert ("consent.W032" in found()) is not os.access("/proc", os.W_OK)


@pytest.mark.parametrize(
    ("debug", "inside", "told"),
    [(False, True, True), (False, False, False), (True, True, False)],
)
def test_w033_checkpoints_are_kept_where_no_snapshot_takes_them_along(
    settings: Settings, tmp_path: Path, debug: bool, inside: bool, told: bool
) -> None:
    settings.DEBUG = debug
    settings.CONSENT_DATA_DIR = tmp_path / "data"
    place = settings.CONSENT_DATA_DIR if inside else tmp_path
    settings.CONSENT_CHECKPOINT_DIR = place / "checkpoints"
    assert ("consent.W033" in found()) is told


@pytest.mark.parametrize(
    ("days", "refused"), [(0, False), (1, True), (29, True), (30, False)]
)
def test_e016_records_are_kept_for_a_month_or_for_ever(
    settings: Settings, days: int, refused: bool
) -> None:
    settings.CONSENT_RETENTION_DAYS = days
    assert ("consent.E016" in found()) is refused


# --- the server does not start -------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "number"),
    [
        ({"TRUSTED_PROXIES": "everybody"}, "consent.E002"),
        ({"DEBUG": "0", "DEMO": "1"}, "consent.E004"),
    ],
)
def test_the_server_refuses_to_start_on_wrong_settings(
    folder: dict[str, str], wrong: dict[str, str], number: str
) -> None:
    done = run("-c", "import settings.wsgi", **{**folder, **wrong})
    assert done.returncode == 1
    assert number in done.stderr
    assert "does not start" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
def test_the_server_starts_on_good_settings_and_on_a_missing_geo_database(
    folder: dict[str, str], interface: str
) -> None:
    missing = {"GEOIP_PATH": "/no/such/file.mmdb"}
    code = f"from settings.{interface} import application; print('starts')"
    done = run("-c", code, **folder, **missing)
    assert (done.returncode, done.stdout) == (0, "starts\n")


def test_the_server_refuses_to_start_over_asgi_too(folder: dict[str, str]) -> None:
    done = run("-c", "import settings.asgi", CONSENT_SEAL="later", **folder)
    assert done.returncode == 1
    assert "consent.E001" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_server_refuses_to_start_on_what_its_database_says(
    folder: dict[str, str],
) -> None:
    code = (
        "import django; django.setup(); from consent.models import Site;"
        "from django.core.management import call_command as call;"
        "call('migrate', verbosity=0);"
        "Site.objects.create(slug='shop', name='Shop', rule_overrides=[{}])"
    )
    made = run("-c", code, DJANGO_SETTINGS_MODULE="settings", **folder)
    assert made.returncode == 0, made.stderr
    done = run("-c", "import settings.wsgi", **folder)
    assert done.returncode == 1
    assert "(consent.E021) Rule overrides of shop" in done.stderr


@pytest.mark.parametrize(
    "url", ["postgres://user:hush@127.0.0.1:1/name", "sqlite:////no/where/db.sqlite3"]
)
def test_the_server_starts_while_its_database_is_down(
    folder: dict[str, str], url: str
) -> None:
    code = "from settings.wsgi import application; print('starts')"
    done = run("-c", code, DATABASE_URL=url, **folder)
    assert (done.returncode, done.stdout) == (0, "starts\n"), done.stderr


def test_the_demo_is_prepared_only_with_debug(folder: dict[str, str]) -> None:
    key = {"CONSENT_SIGNING_KEY": keys.new_key()}
    done = run("manage.py", "prepare_demo", **folder, **key, DEBUG="0")
    assert done.returncode == 1
    assert "only with DEBUG=1" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (Path(folder["CONSENT_DATA_DIR"]) / "static").exists()


@pytest.mark.parametrize("theirs", ["testserver", "*.shop.example", "a.shop.example"])
def test_e029_a_host_belongs_to_one_site_alone(site: Site, theirs: str) -> None:
    Site.objects.filter(pk=site.pk).update(hosts=["testserver", "*.shop.example"])
    assert "consent.E029" not in on_database()
    Site.objects.create(slug="shop", name="Shop", hosts=[theirs])
    assert theirs in on_database()["consent.E029"]
