"""How the accuracy table is counted."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from consent.geolocation.accuracy import ASKING, compared
from consent.geolocation.mmdb_writer import Value
from tests.geolocation.databases import MakeDatabase, in_country


def doubted(code: str, *others: str) -> Value:
    return {"country": {"iso_code": code}, "consent": {"also": list(others)}}


@pytest.fixture
def reference(make_database: MakeDatabase) -> Path:
    """Half of all IPv4 is France, a quarter the United States; IPv6 is Germany."""
    networks = {
        "64.0.0.0/2": in_country("FR"),
        "8.0.0.0/6": in_country("US"),
        "2003::/19": in_country("DE"),
    }
    return make_database(networks, name="reference.mmdb")


def shares(
    candidate: Path, reference: Path, sample: str
) -> tuple[float, float, float, float]:
    result = compared([candidate], reference=reference, size=400, seed=7)
    [row] = [row for _, row in result.rows if row.sample == sample]
    return row.same, row.missed, row.over_asked, row.silent


def test_a_database_held_against_itself_is_always_right(reference: Path) -> None:
    result = compared([reference], reference=reference, size=100, seed=1)
    assert result.reference == "Made-City of 2026-06-01"
    assert {row.sample for _, row in result.rows} == {
        "IPv4 by address",
        "IPv4 by network",
        "IPv6 by network",
    }
    for _, row in result.rows:
        assert (row.same, row.missed, row.over_asked, row.silent) == (1, 0, 0, 0)


def test_a_visitor_placed_where_nobody_is_asked_is_missed(
    make_database: MakeDatabase, reference: Path
) -> None:
    wrong = make_database({"::/0": in_country("US")}, name="wrong.mmdb")
    same, missed, over_asked, silent = shares(wrong, reference, "IPv4 by address")
    assert (missed, over_asked, silent) == (1, 0, 0)
    assert same < 0.2


def test_a_second_country_that_asks_saves_the_visitor(
    make_database: MakeDatabase, reference: Path
) -> None:
    careful = make_database({"::/0": doubted("US", "GB")}, name="careful.mmdb")
    _, missed, over_asked, _ = shares(careful, reference, "IPv4 by address")
    assert (missed, over_asked) == (0, 1)


def test_no_answer_is_no_miss_because_unknown_places_are_asked(
    make_database: MakeDatabase, reference: Path
) -> None:
    silent = make_database({}, name="silent.mmdb")
    assert shares(silent, reference, "IPv6 by network") == (0, 0, 0, 1)


def test_the_asking_countries_are_the_eea_the_united_kingdom_and_switzerland() -> None:
    assert len(ASKING) == 30 + 2
    assert {"GB", "CH", "NO", "IS", "LI"} <= ASKING


def test_the_flat_sources_are_measured_too(
    make_database: MakeDatabase, reference: Path
) -> None:
    flat = make_database(
        {"::/0": {"country_code": "FR"}}, name="flat.mmdb", database_type="country"
    )
    _, missed, over_asked, _ = shares(flat, reference, "IPv4 by address")
    assert (missed, over_asked) == (0, 1)


def test_the_command_prints_a_table_of_the_embedded_database(
    reference: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("measure_geoip", reference=reference, size=50)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("50 random addresses a row, seed 1, against Made-City")
    assert sum("consent-country.mmdb.xz" in line for line in lines) == 3


def test_the_command_names_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Nothing was measured"):
        call_command("measure_geoip", reference=tmp_path / "none.mmdb")
