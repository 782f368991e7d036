"""What MaxMind's own test databases say about addresses, through `locate`."""

from ipaddress import ip_address

import pytest
from pytest_django import Settings

from consent.core.jurisdictions import Location, Source
from consent.geolocation import locate
from tests.geolocation.databases import MakeDatabase

CITY_ROWS = [
    # address, country, subdivision, other countries
    ("2.2.3.1", "GB", "GB-ENG", ()),
    ("2.125.160.217", "GB", "GB-ENG", ("FR",)),
    ("67.43.156.1", "BT", None, ("RO",)),
    ("81.2.69.142", "GB", "GB-ENG", ("US",)),
    ("81.2.69.160", "GB", "GB-ENG", ("US",)),
    ("81.2.69.192", "GB", "GB-ENG", ("US",)),
    ("89.160.20.112", "SE", "SE-E", ("DE",)),
    ("89.160.20.128", "SE", "SE-E", ("DE",)),
    ("149.101.100.1", "US", None, ("GB",)),
    ("175.16.199.1", "CN", "CN-22", ()),
    ("202.196.224.1", "PH", None, ("US",)),
    ("214.0.0.1", "SG", None, ()),
    ("214.0.1.1", "AU", "AU-VIC", ()),
    ("214.78.120.1", "US", "US-CA", ()),
    ("214.78.124.1", "US", "US-CA", ()),
    ("216.160.83.57", "US", "US-WA", ("GB",)),
    ("216.160.83.65", "US", "US-WA", ("GB",)),
    ("2001:480:10::1", "US", "US-CA", ()),
    ("2001:218::1", "JP", None, ()),
    ("2a02:cfc0::1", "FR", None, ()),
    ("2a02:d180::1", "DE", None, ()),
    ("2a02:d1c0::1", "IT", None, ()),
    ("2a02:d000::1", "CH", None, ()),
    ("2a02:cf40::1", "NO", None, ()),
    ("2a02:d3c0::1", "GB", None, ()),
    ("2a02:d5c0::1", "ES", None, ()),
    ("2a02:e900::1", "IE", None, ()),
    ("2a02:fc40::1", "DK", None, ()),
    ("2a02:d0c0::1", "RU", None, ()),
    ("2a02:d980::1", "TR", None, ()),
    ("2a02:ffc0::1", "GI", None, ()),
]
COUNTRY_ROWS = [
    ("2.125.160.217", "GB", ("FR",)),
    ("50.114.0.1", "US", ()),
    ("67.43.156.1", "BT", ("RO",)),
    ("81.2.69.142", "GB", ("US",)),
    ("89.160.20.112", "SE", ("DE",)),
    ("111.235.160.1", "CN", ()),
    ("149.101.100.1", "US", ("GB",)),
    ("202.196.224.1", "PH", ("US",)),
    ("214.78.120.1", "US", ()),
    ("216.160.83.57", "US", ("GB",)),
    ("217.65.48.1", "GI", ()),
    ("2001:220::1", "KR", ()),
]


@pytest.mark.usefixtures("city_database")
@pytest.mark.parametrize(("address", "country", "subdivision", "also"), CITY_ROWS)
def test_a_city_database_gives_country_subdivision_and_doubts(
    address: str, country: str, subdivision: str | None, also: tuple[str, ...]
) -> None:
    assert locate(address) == Location(
        country=country,
        subdivision=subdivision,
        source=Source.GEOIP,
        also=also,
        database="GeoIP2-City 2026-02-04",
    )


@pytest.mark.usefixtures("country_database")
@pytest.mark.parametrize(("address", "country", "also"), COUNTRY_ROWS)
def test_a_country_database_gives_country_and_doubts(
    address: str, country: str, also: tuple[str, ...]
) -> None:
    assert locate(address) == Location(
        country=country,
        source=Source.GEOIP,
        also=also,
        database="GeoIP2-Country 2026-02-04",
    )


@pytest.mark.usefixtures("city_database")
def test_a_continent_without_a_country_is_an_unknown_place() -> None:
    found = locate("2a02:d500::1")
    assert (found.country, found.source, found.also) == (None, Source.UNKNOWN, ())
    assert found.database == "GeoIP2-City 2026-02-04"


@pytest.mark.usefixtures("city_database")
def test_a_registered_country_alone_is_an_unknown_place() -> None:
    assert locate("5.83.124.1").country is None


@pytest.mark.usefixtures("city_database")
def test_an_address_with_only_an_anycast_trait_hides_its_unknown_place() -> None:
    found = locate("214.1.1.1")
    assert (found.country, found.anonymous) == (None, True)


@pytest.mark.usefixtures("city_database")
@pytest.mark.parametrize("address", ["2.3.3.1", "9.9.9.9", "2600::1"])
def test_an_address_that_is_not_in_the_database_is_at_an_unknown_place(
    address: str,
) -> None:
    found = locate(address)
    assert (found.country, found.source) == (None, Source.UNKNOWN)


@pytest.mark.usefixtures("city_database")
def test_address_objects_are_as_good_as_text() -> None:
    assert locate(ip_address("214.78.120.1")) == locate("214.78.120.1")
    assert locate(ip_address("2a02:cfc0::1")) == locate("2a02:cfc0::1")


@pytest.mark.parametrize(
    "trait", ["is_anycast", "is_satellite_provider", "is_anonymous_proxy"]
)
def test_a_trait_that_hides_the_place_keeps_the_country_but_is_anonymous(
    geo: Settings, make_database: MakeDatabase, trait: str
) -> None:
    record = {"country": {"iso_code": "BR"}, "traits": {trait: True}}
    geo.GEOIP_PATH = make_database({"200.0.0.0/8": record})
    found = locate("200.1.2.3")
    assert (found.country, found.anonymous) == ("BR", True)


@pytest.mark.parametrize("code", ["EU", "AP", "A1", "A2", "O1", "T1", "XX", "ZZ", "us"])
def test_a_code_that_is_no_country_is_an_unknown_place(
    geo: Settings, make_database: MakeDatabase, code: str
) -> None:
    geo.GEOIP_PATH = make_database({"200.0.0.0/8": {"country": {"iso_code": code}}})
    assert locate("200.1.2.3").country is None


@pytest.mark.parametrize(
    "record",
    [
        "BR",
        ["BR"],
        7,
        {"country": "BR"},
        {"country": {"iso_code": 7}},
        {"country": {"iso_code": ["BR"]}},
        {"country": {"names": {"en": "Brazil"}}},
        {"country": []},
        {},
    ],
)
def test_a_record_of_another_shape_is_an_unknown_place(
    geo: Settings, make_database: MakeDatabase, record: object
) -> None:
    geo.GEOIP_PATH = make_database({"200.0.0.0/8": record})
    assert locate("200.1.2.3").country is None


@pytest.mark.parametrize(
    "subdivisions",
    ["QC", [], ["QC"], [{}], [{"iso_code": "Quebec"}], [{"iso_code": 7}], {"0": "QC"}],
)
def test_a_subdivision_of_another_shape_leaves_the_country(
    geo: Settings, make_database: MakeDatabase, subdivisions: object
) -> None:
    record = {"country": {"iso_code": "CA"}, "subdivisions": subdivisions}
    geo.GEOIP_PATH = make_database({"24.0.0.0/8": record})
    found = locate("24.201.245.77")
    assert (found.country, found.subdivision) == ("CA", None)


def test_quebec_is_found_in_a_city_database(
    geo: Settings, make_database: MakeDatabase
) -> None:
    record = {"country": {"iso_code": "CA"}, "subdivisions": [{"iso_code": "QC"}]}
    geo.GEOIP_PATH = make_database({"24.201.0.0/16": record})
    assert locate("24.201.245.77").subdivision == "CA-QC"


def test_dbip_files_without_subdivision_codes_give_the_country(
    geo: Settings, make_database: MakeDatabase
) -> None:
    record = {
        "country": {"iso_code": "US", "names": {"en": "United States"}},
        "subdivisions": [{"names": {"en": "California"}}],
    }
    geo.GEOIP_PATH = make_database(
        {"24.0.0.0/8": record}, database_type="DBIP-City-Lite"
    )
    found = locate("24.6.0.1")
    assert (found.country, found.subdivision) == ("US", None)
    assert found.database == "DBIP-City-Lite 2026-06-01"
