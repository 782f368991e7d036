"""Which addresses can be at a place at all, and that nothing else is an error."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st
from pytest_django import Settings

from consent.core.jurisdictions import Location
from consent.geolocation import locate
from consent.geolocation.address import visitor_address
from tests.geolocation.databases import MakeDatabase

GARBAGE = [
    "",
    " ",
    "garbage",
    "unknown",
    "_hidden",
    "256.1.1.1",
    "1.2.3",
    "01.2.3.4",
    "82.64.0.1:443",
    "[2003::1]:443",
    "82.64.0.1, 10.0.0.1",
    "82.64.0.1\n",
    " 82.64.0.1",
    "2003::1%eth0",
    "2003:::1",
    "٨٢.٦٤.٠.١",
    "82.64.0.1\x00",
    "for=82.64.0.1",
    "1" * 100_000,
    None,
    b"82.64.0.1",
    1_376_256_001,
    3.14,
    object(),
]
NOT_PUBLIC = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "::ffff:192.0.2.1",
    "64:ff9b::10.0.0.1",
    "100::1",
    "2001::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:a00:1::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456:789a::1",
    "fe80::1",
    "fe80::1%eth0",
    "ff02::1",
]


@pytest.fixture
def everywhere(geo: Settings, make_database: MakeDatabase) -> Settings:
    """A database that claims every address there is for the United States."""
    usa = {"country": {"iso_code": "US"}}
    geo.GEOIP_PATH = make_database({"::/0": usa})
    return geo


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize("address", GARBAGE)
def test_garbage_is_at_an_unknown_place(address: object) -> None:
    assert locate(address) == Location()  # type: ignore[arg-type]


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_addresses_of_no_visitor_are_at_an_unknown_place_whatever_a_database_says(
    address: str,
) -> None:
    assert locate(address) == Location()


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize(
    "address",
    [
        "9.255.255.255",
        "11.0.0.0",
        "172.32.0.0",
        "192.0.3.0",
        "223.255.255.255",
        "2001:200::",
        "2000::",
        "3ffe:ffff::",
        "2001:db9::",
    ],
)
def test_neighbours_of_reserved_ranges_are_looked_up(address: str) -> None:
    assert locate(address).country == "US"


@pytest.mark.usefixtures("city_database")
@pytest.mark.parametrize(
    "wrapped",
    [
        "::ffff:214.78.120.1",
        "::ffff:d64e:7801",
        "0:0:0:0:0:ffff:214.78.120.1",
        "2002:d64e:7801::1",
        "64:ff9b::214.78.120.1",
    ],
)
def test_ipv4_inside_ipv6_is_located_like_the_ipv4_address(wrapped: str) -> None:
    assert locate(wrapped) == locate("214.78.120.1")
    assert locate(wrapped).subdivision == "US-CA"


@given(st.text())
@how(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_text_at_all_is_an_error(city_database: Settings, text: str) -> None:
    assert locate(text).country is None or visitor_address(text) is not None


@given(st.ip_addresses())
@how(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_address_at_all_is_an_error(
    city_database: Settings, address: IPv4Address | IPv6Address
) -> None:
    assert locate(address) == locate(str(address))


@given(st.ip_addresses())
def test_only_globally_reachable_addresses_are_looked_up(
    address: IPv4Address | IPv6Address,
) -> None:
    found = visitor_address(address)
    assert found is None or found.is_global
