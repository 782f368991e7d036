"""`update_geoip` against a real server on this machine that behaves in every way."""

import base64
import contextlib
import hashlib
import http.server
import io
import itertools
import tarfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from consent.geolocation import locate, status
from tests.geolocation.databases import TEST_DATA, database, in_country

OLD = datetime(2026, 5, 1, tzinfo=UTC)
NEW = datetime(2026, 6, 1, tzinfo=UTC)
CREDENTIALS = "Basic " + base64.b64encode(b"1234:secret").decode()


class Server(http.server.ThreadingHTTPServer):
    """A stand-in for the download host, told how to behave by each test."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, archive: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.archive = archive
        self.checksum = hashlib.sha256(archive).hexdigest() + "  database.tar.gz\n"
        self.status = 200
        self.advertised: int | None = None
        self.redirect_to = ""
        self.hang = threading.Event()
        self.hanging = ""
        self.seen: list[tuple[str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answer as the server was told."""

    server: Server

    def do_GET(self) -> None:
        server, address = self.server, urlsplit(self.path)
        server.seen.append((self.path, self.headers["Authorization"]))
        suffix = parse_qs(address.query).get("suffix", [""])[0]
        if server.redirect_to:
            self.send_response(302)
            self.send_header("Location", server.redirect_to + self.path)
            self.end_headers()
        elif server.status != 200:
            self.send_error(server.status)
        elif suffix == "tar.gz.sha256":
            self._send(server.checksum.encode(), None)
        else:
            self._send(server.archive, server.advertised)

    def _send(self, body: bytes, advertised: int | None) -> None:
        if self.server.hanging == "before":
            self.server.hang.wait(20)
        self.send_response(200)
        self.send_header("Content-Length", str(advertised or len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2])
        if self.server.hanging == "within":
            self.server.hang.wait(20)
        with contextlib.suppress(ConnectionError):  # the other side may have left
            self.wfile.write(body[len(body) // 2 :])

    def log_message(self, *_: object) -> None:
        pass


def packed(members: dict[str, bytes]) -> bytes:
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return memory.getvalue()


def release(code: str = "FR", built: datetime = NEW) -> bytes:
    """Return an archive as MaxMind packs it."""
    content = database(
        {"82.0.0.0/8": in_country(code)}, database_type="GeoLite2-City", built=built
    )
    folder = f"GeoLite2-City_{built:%Y%m%d}"
    return packed(
        {
            f"{folder}/COPYRIGHT.txt": b"(c)",
            f"{folder}/README.txt": b"read me",
            f"{folder}/GeoLite2-City.mmdb": content,
        }
    )


@pytest.fixture
def serve() -> Iterator[type[Server]]:
    """Yield a maker of running servers."""
    running: list[Server] = []

    class Running(Server):
        def __init__(self, archive: bytes) -> None:
            super().__init__(archive)
            running.append(self)
            threading.Thread(
                target=self.serve_forever, args=(0.01,), daemon=True
            ).start()

    yield Running
    for server in running:
        server.hang.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def target(geo: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An account, and a database of May in place."""
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    path = tmp_path / "geo" / "city.mmdb"
    path.parent.mkdir()
    path.write_bytes(database({"82.0.0.0/8": in_country("BR")}, built=OLD))
    geo.GEOIP_PATH = str(path)
    geo.GEOIP_ACCOUNT_ID = "1234"
    geo.GEOIP_LICENSE_KEY = "secret"
    return path


def refused(target: Path, reason: str, timeout: float = 10) -> None:
    """Update, and find the old file untouched and one sentence why."""
    before, inode = target.read_bytes(), target.stat().st_ino
    with pytest.raises(CommandError, match=reason) as failure:
        call_command("update_geoip", timeout=timeout)
    assert failure.value.returncode == 1
    assert "Nothing was changed." in str(failure.value)
    assert "secret" not in str(failure.value)
    assert (target.read_bytes(), target.stat().st_ino) == (before, inode)
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_a_new_database_is_verified_and_swapped_in(
    geo: Settings,
    serve: type[Server],
    target: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = serve(release())
    geo.GEOIP_DOWNLOAD_URL = server.url
    call_command("update_geoip")
    assert "GeoLite2-City 2026-06-01 is in place" in capsys.readouterr().out
    assert locate("82.64.0.1").country == "FR"
    assert server.seen == [
        (f"/geoip/databases/GeoLite2-City/download?suffix={suffix}", CREDENTIALS)
        for suffix in ("tar.gz.sha256", "tar.gz")
    ]
    assert [path.name for path in target.parent.iterdir()] == ["city.mmdb"]


def test_the_swap_keeps_the_permissions_of_the_old_file(
    geo: Settings, serve: type[Server], target: Path
) -> None:
    geo.GEOIP_DOWNLOAD_URL = serve(release()).url
    target.chmod(0o640)
    call_command("update_geoip")
    assert target.stat().st_mode & 0o777 == 0o640


def test_without_a_path_the_data_folder_gets_it_and_it_is_used(
    geo: Settings, serve: type[Server], target: Path, own_folder: Path
) -> None:
    geo.GEOIP_PATH = ""
    geo.GEOIP_DOWNLOAD_URL = serve(release()).url
    call_command("update_geoip")
    assert status().path == own_folder / "fetched.mmdb"
    assert locate("82.64.0.1").database == "GeoLite2-City 2026-06-01"


def test_a_broken_database_in_place_is_replaced(
    geo: Settings, serve: type[Server], target: Path
) -> None:
    target.write_bytes(b"broken")
    geo.GEOIP_DOWNLOAD_URL = serve(release()).url
    call_command("update_geoip")
    assert locate("82.64.0.1").country == "FR"


def test_the_same_database_again_is_no_failure(
    geo: Settings, serve: type[Server], target: Path
) -> None:
    geo.GEOIP_DOWNLOAD_URL = serve(release()).url
    call_command("update_geoip")
    first = target.read_bytes()
    call_command("update_geoip")
    assert target.read_bytes() == first


def test_a_redirect_to_another_host_never_sees_the_credentials(
    geo: Settings, serve: type[Server], target: Path
) -> None:
    storage, front = serve(release()), serve(b"")
    front.redirect_to = storage.url
    geo.GEOIP_DOWNLOAD_URL = front.url
    call_command("update_geoip")
    assert locate("82.64.0.1").country == "FR"
    assert {credentials for _, credentials in front.seen} == {CREDENTIALS}
    assert [credentials for _, credentials in storage.seen] == [None, None]


def test_a_redirect_within_the_host_keeps_the_credentials(
    geo: Settings, serve: type[Server], target: Path
) -> None:
    server = serve(release())

    class Once(Handler):
        def do_GET(self) -> None:
            if self.path.startswith("/geoip"):
                self.send_response(302)
                self.send_header("Location", f"/moved{self.path}")
                self.end_headers()
            super().do_GET() if self.path.startswith("/moved") else None

    server.RequestHandlerClass = Once
    geo.GEOIP_DOWNLOAD_URL = server.url
    call_command("update_geoip")
    assert [credentials for _, credentials in server.seen] == [CREDENTIALS] * 2


@pytest.mark.parametrize("where", ["ftp://127.0.0.1", "file:///etc"])
def test_a_redirect_to_another_kind_of_address_is_refused(
    geo: Settings, serve: type[Server], target: Path, where: str
) -> None:
    front = serve(b"")
    front.redirect_to = where
    geo.GEOIP_DOWNLOAD_URL = front.url
    refused(target, "without encryption|broke off|answered 302")


def test_an_endless_redirect_is_refused(
    geo: Settings, serve: type[Server], target: Path
) -> None:
    front = serve(b"")
    front.redirect_to = front.url
    geo.GEOIP_DOWNLOAD_URL = front.url
    refused(target, "answered 302")


def test_a_wrong_checksum_changes_nothing(
    geo: Settings, serve: type[Server], target: Path
) -> None:
    server = serve(release())
    server.checksum = "0" * 64 + "  database.tar.gz\n"
    geo.GEOIP_DOWNLOAD_URL = server.url
    refused(target, "its checksum is not the published one")


def test_a_missing_checksum_changes_nothing(
    geo: Settings, serve: type[Server], target: Path
) -> None:
    server = serve(release())
    server.checksum = "<html>"
    geo.GEOIP_DOWNLOAD_URL = server.url
    refused(target, "no SHA-256 checksum")


def test_an_endless_checksum_changes_nothing(
    geo: Settings, serve: type[Server], target: Path
) -> None:
    server = serve(release())
    server.checksum = server.checksum + " " * 100_000
    geo.GEOIP_DOWNLOAD_URL = server.url
    refused(target, "far too long")


def test_a_truncated_download_changes_nothing(
    geo: Settings, serve: type[Server], target: Path
) -> None:
    server = serve(release())
    server.archive, server.advertised = server.archive[:-20], len(server.archive)
    geo.GEOIP_DOWNLOAD_URL = server.url
    refused(target, "checksum is not the published|broke off")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (401, "check GEOIP_ACCOUNT_ID"),
        (403, "check GEOIP_ACCOUNT_ID"),
        (404, "does not know the edition GeoLite2-City"),
        (429, "used up its downloads"),
        (500, "answered 500"),
    ],
)
def test_a_refusal_says_what_to_do(
    geo: Settings, serve: type[Server], target: Path, code: int, reason: str
) -> None:
    server = serve(release())
    server.status = code
    geo.GEOIP_DOWNLOAD_URL = server.url
    refused(target, reason)


@pytest.mark.parametrize("moment", ["before", "within"])
def test_a_server_that_hangs_is_left_in_time(
    geo: Settings, serve: type[Server], target: Path, moment: str
) -> None:
    server = serve(release())
    server.hanging = moment
    geo.GEOIP_DOWNLOAD_URL = server.url
    refused(target, "did not answer in time", timeout=0.5)


def test_a_server_that_is_not_there_is_named(
    geo: Settings, serve: type[Server], target: Path
) -> None:
    server = serve(release())
    geo.GEOIP_DOWNLOAD_URL = server.url
    server.shutdown()
    server.server_close()
    refused(target, r"127\.0\.0\.1 cannot be reached")


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (b"<html>no archive</html>", "archive is damaged"),
        (release()[:100], "archive is damaged"),
        (packed({"readme.txt": b"nothing else"}), "holds no database"),
        (packed({"x/x.mmdb": b"no database"}), "damaged or no MaxMind DB file"),
        (
            packed({"x/x.mmdb": database({}, database_type="GeoLite2-ASN")}),
            "of the type 'GeoLite2-ASN'",
        ),
        (packed({"x/x.mmdb": database({})}), "has records that cannot be read"),
        (
            packed(
                {
                    "x/x.mmdb": (
                        TEST_DATA / "GeoIP2-City-Test-Broken-Double-Format.mmdb"
                    ).read_bytes()
                }
            ),
            "has records that cannot be read",
        ),
        (release(built=datetime(2026, 4, 1, tzinfo=UTC)), "older than the database"),
    ],
    # A fresh archive holds the time it was made, and no two runs agree on that.
    ids=itertools.count(),
)
def test_what_is_no_newer_database_changes_nothing(
    geo: Settings, serve: type[Server], target: Path, archive: bytes, reason: str
) -> None:
    geo.GEOIP_DOWNLOAD_URL = serve(archive).url
    refused(target, reason)


def test_names_in_the_archive_decide_nothing_about_where_files_go(
    geo: Settings, serve: type[Server], target: Path, tmp_path: Path
) -> None:
    content = database({"82.0.0.0/8": in_country("FR")}, built=NEW)
    archive = packed({"../../../escaped.txt": b"x", "/../../evil.mmdb": content})
    geo.GEOIP_DOWNLOAD_URL = serve(archive).url
    call_command("update_geoip")
    assert locate("82.64.0.1").country == "FR"
    assert not list(tmp_path.glob("**/evil*")) + list(tmp_path.glob("**/escaped*"))


def test_an_archive_that_only_links_to_a_database_changes_nothing(
    geo: Settings, serve: type[Server], target: Path
) -> None:
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w:gz") as archive:
        link = tarfile.TarInfo("x/x.mmdb")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    geo.GEOIP_DOWNLOAD_URL = serve(memory.getvalue()).url
    refused(target, "holds no database")


@pytest.mark.parametrize("missing", ["GEOIP_ACCOUNT_ID", "GEOIP_LICENSE_KEY"])
def test_without_an_account_it_says_what_to_do(
    geo: Settings, target: Path, missing: str
) -> None:
    setattr(geo, missing, "")
    with pytest.raises(CommandError, match="set GEOIP_ACCOUNT_ID and GEOIP_LICENSE"):
        call_command("update_geoip")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("GEOIP_EDITION", "../../etc", "no name of a MaxMind edition"),
        ("GEOIP_DOWNLOAD_URL", "ftp://127.0.0.1", "must begin with https"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    geo: Settings, target: Path, name: str, value: str, reason: str
) -> None:
    setattr(geo, name, value)
    refused(target, reason)


def test_a_folder_that_cannot_be_written_is_named(
    geo: Settings, serve: type[Server], target: Path
) -> None:
    geo.GEOIP_DOWNLOAD_URL = serve(release()).url
    geo.GEOIP_PATH = str(target / "below" / "city.mmdb")
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("update_geoip")
