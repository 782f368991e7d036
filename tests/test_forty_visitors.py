"""Addresses and headers to decisions, through HTTP, on MaxMind's own test databases."""

from functools import reduce

import pytest

from consent import rulebook
from consent.core.jurisdictions import Location, Source, combine, rule_for
from consent.visitor import declared
from tests.conftest import NOON, NewVisitor
from tests.visits import NONE, body, decision, send

ASKED, NOTHING, TOLD = ("opt_in", "opt_in"), ("opt_out", "none"), ("notice", "none")

# Who; X-Forwarded-For; where that is by MaxMind (the first word the place, the others
# where the visitor may be as well, `?` for an address that hides its place); rule;
# model and banner.
BY_ADDRESS = [
    ("a Parisian", "2a02:cfc0::1", "FR", "FR", ASKED),
    ("a German", "2a02:d180::1", "DE", "DE", ASKED),
    ("an Italian", "2a02:d1c0::1", "IT", "IT", ASKED),
    ("somebody Irish", "2a02:e900::1", "IE", "IE", ASKED),
    ("a Spaniard", "2a02:d5c0::1", "ES", "ES", ASKED),
    ("a Dane", "2a02:fc40::1", "DK", "DK", ASKED),
    ("a Norwegian with a port", "[2a02:cf40::1]:443", "NO", "NO", ASKED),
    ("a Swede on a German block", "89.160.20.112", "SE-E DE", "DE+SE", ASKED),
    ("the Swede with a port", "89.160.20.112:4711", "SE-E DE", "DE+SE", ASKED),
    ("the Swede, mapped", "::ffff:89.160.20.112", "SE-E DE", "DE+SE", ASKED),
    ("a Londoner", "2.2.3.1", "GB-ENG", "GB", ASKED),
    ("a Londoner on a French block", "2.125.160.217", "GB-ENG FR", "FR+GB", ASKED),
    ("a Londoner behind a VPN", "81.2.69.160", "GB-ENG US ?", "*+GB+US-*", ASKED),
    ("somebody Swiss", "2a02:d000::1", "CH", "CH", ASKED),
    ("a Turk", "2a02:d980::1", "TR", "TR", ASKED),
    ("somebody in Gibraltar", "2a02:ffc0::1", "GI", "GI", ASKED),
    ("Europe without a country", "2a02:d500::1", "", "*", ASKED),
    ("an anycast address", "214.1.1.1", "?", "*", ASKED),
    ("an address nobody knows", "9.9.9.9", "", "*", ASKED),
    ("a Californian", "214.78.120.1", "US-CA", "US-CA", NOTHING),
    ("a Californian on IPv6", "2001:480:10::1", "US-CA", "US-CA", NOTHING),
    ("Washington, registered in GB", "216.160.83.57", "US-WA GB", "GB+US-WA", ASKED),
    ("the US without a state", "149.101.100.1", "US GB", "GB+US-*", ASKED),
    ("Bhutan, registered in RO", "67.43.156.1", "BT RO", "BT+RO", ASKED),
    ("somebody in Jilin", "175.16.199.1", "CN-22", "CN", ASKED),
    ("the Philippines", "202.196.224.1", "PH US", "PH+US-*", ASKED),
    ("a Singaporean", "214.0.0.1", "SG", "SG", ("notice", "none")),
    ("a Melburnian", "214.0.1.1", "AU-VIC", "AU", ("notice", "none")),
    ("a Tokyoite", "2001:218::1", "JP", "JP", ("notice", "none")),
    ("a Tor exit", "65.0.0.1", "?", "*", ASKED),
    ("a VPN", "1.2.0.1", "?", "*", ASKED),
    ("nobody said who", "", "", "*", ASKED),
    ("garbage", "' OR 1=1 --", "", "*", ASKED),
    ("a long garbage", "9" * 5000, "", "*", ASKED),
    ("a private address", "10.0.0.7", "", "*", ASKED),
    ("a documentation address", "192.0.2.1", "", "*", ASKED),
    ("a local address", "fe80::1%eth0", "", "*", ASKED),
    ("the proxy itself", "127.0.0.1", "", "*", ASKED),
    ("a lie on the left", "2001:218::1, 2a02:cfc0::1", "FR", "FR", ASKED),
    ("a trusted hop on the right", "2a02:cfc0::1, 127.0.0.1", "FR", "FR", ASKED),
    ("garbage on the right", "2001:218::1, garbage", "", "*", ASKED),
    ("nothing on the right", "2001:218::1,", "", "*", ASKED),
]

# Who; country header; region header; where that is; rule; model and banner. The address
# is always the Californian's, so that a header which is not believed would show.
BY_HEADER = [
    ("a Québécoise", "CA", "QC", "CA-QC", "CA-QC", ASKED),
    ("a Québécoise in full", "CA", "CA-QC", "CA-QC", "CA-QC", ASKED),
    ("an Ontarian", "CA", "ON", "CA-ON", "CA", ("opt_out", "notice")),
    ("Canada without a province", "CA", "", "CA", "CA-*", ASKED),
    ("Canada with no such province", "CA", "ZZ", "CA-ZZ", "CA-*", ASKED),
    ("a Virginian", "US", "VA", "US-VA", "US-VA", NOTHING),
    ("a Texan", "US", "TX", "US-TX", "US-TX", NOTHING),
    ("an Alaskan", "US", "AK", "US-AK", "US-AK", ("none", "none")),
    ("the US without a state", "US", "", "US", "US-*", NOTHING),
    ("the US with no such state", "US", "ZZ", "US-ZZ", "US-*", NOTHING),
    ("a state of elsewhere", "US", "CA-QC", "US", "US-*", NOTHING),
    ("Puerto Rico as a state", "US", "PR", "PR", "PR", ("notice", "none")),
    ("a Texan in lower case", "us", "tx", "US-TX", "US-TX", NOTHING),
    ("Guadeloupe", "GP", "", "GP", "GP", ASKED),
    ("Guadeloupe as a region", "FR", "971", "GP", "GP", ASKED),
    ("Réunion", "RE", "", "RE", "RE", ASKED),
    ("Åland", "AX", "", "AX", "AX", ASKED),
    ("French Polynesia", "PF", "", "PF", "PF", ASKED),
    ("the United Kingdom by its other code", "UK", "", "GB", "GB", ASKED),
    ("Greece by its other code", "EL", "", "GR", "GR", ASKED),
    ("Brazil", "BR", "", "BR", "BR", ASKED),
    ("Chile before its law", "CL", "", "CL", "CL", ("notice", "none")),
    ("Korea", "KR", "", "KR", "KR", NOTHING),
    ("Mexico", "MX", "", "MX", "MX", ("opt_out", "notice")),
    ("Burundi, a row nobody verified", "BI", "", "BI", "*", ASKED),
    ("no country data", "XX", "", "", "*", ASKED),
    ("Europe as a country", "EU", "", "", "*", ASKED),
    ("Asia and the Pacific", "AP", "", "", "*", ASKED),
    ("an unknown territory", "ZZ", "", "", "*", ASKED),
    ("an anonymous proxy", "A1", "", "", "*", ASKED),
    ("Tor", "T1", "", "", "*", ASKED),
    ("a code of no place", "QQ", "", "", "*", ASKED),
    ("two codes", "US, FR", "", "", "*", ASKED),
    ("two codes with a space", "US FR", "", "", "*", ASKED),
    ("a code of three letters", "USA", "", "", "*", ASKED),
    ("letters that become a code", "ß", "", "", "*", ASKED),
    ("an empty header", "", "", "", "*", ASKED),
]


def place(words: str) -> Location:
    """A row's place as a location: `SE-E DE ?` is Östergötland, or Germany, hidden."""
    first, *also = [word for word in words.split() if word != "?"] or [None]
    return Location(
        country=first[:2] if first else None,
        subdivision=first if first and "-" in first else None,
        also=tuple(also),
        anonymous="?" in words,
    )


def assert_decided(found: dict, where: str, rule: str, wanted: tuple[str, str]) -> None:
    book = rulebook.load()
    location = place(where)
    days = book.days(location, now=NOON)
    by_book = rule_for(rules=book.rules, location=location, on=days)
    by_day = reduce(
        combine, (rule_for(rules=book.rules, location=location, on=d) for d in days)
    )
    assert by_book == by_day
    assert found["jurisdiction"]["rule"] == rule == by_book.name
    assert (found["model"], found["banner"]) == wanted
    assert wanted == (by_book.model.label, by_book.banner.label)
    runs = by_book.model.label != "opt_in"
    assert found["purposes"] == {"necessary": True, **dict.fromkeys(NONE, runs)}


@pytest.mark.parametrize(
    ("address", "where", "rule", "wanted"),
    [pytest.param(*row, id=who) for who, *row in BY_ADDRESS],
)
def test_an_address_gets_the_decision_of_the_rule_book(
    visitor: NewVisitor,
    noon: object,
    address: str,
    where: str,
    rule: str,
    wanted: tuple[str, str],
) -> None:
    found = decision(visitor(address))
    assert_decided(found, where, rule, wanted)
    assert found["location"]["country"] == place(where).country
    known = "geoip" if place(where).country else "unknown"
    assert found["location"]["source"] == known


@pytest.mark.parametrize(
    ("country", "region", "where", "rule", "wanted"),
    [pytest.param(*row, id=who) for who, *row in BY_HEADER],
)
def test_a_header_of_the_network_stands_over_the_address(
    visitor: NewVisitor,
    noon: object,
    country: str,
    region: str,
    where: str,
    rule: str,
    wanted: tuple[str, str],
) -> None:
    headers = {"CF-IPCountry": country} | ({"CF-Region-Code": region} if region else {})
    found = decision(visitor("214.78.120.1", **headers))
    assert_decided(found, where, rule, wanted)
    assert found["location"]["source"] == ("header" if where else "unknown")
    assert found["location"]["attribution"] is None


def test_the_tables_hold_at_least_forty_visitors() -> None:
    assert len(BY_ADDRESS) + len(BY_HEADER) >= 40


def test_a_header_does_not_unmask_somebody_behind_tor(
    visitor: NewVisitor, noon: object
) -> None:
    tor = visitor("65.0.0.1", **{"CF-IPCountry": "US", "CF-Region-Code": "AK"})
    assert_decided(decision(tor), "US-AK ?", "*+US-AK", ASKED)


def test_nobody_but_a_trusted_proxy_says_where_a_visitor_is(
    visitor: NewVisitor, noon: object
) -> None:
    headers = {"CF-IPCountry": "US", "CF-Region-Code": "AK"}
    direct = visitor("214.78.120.1", **headers)
    direct.defaults["REMOTE_ADDR"] = "2a02:cfc0::1"
    found = decision(direct)
    assert_decided(found, "FR", "FR", ASKED)
    assert found["location"]["source"] == "geoip"


@pytest.mark.parametrize(
    ("forwarded", "country"),
    [
        ('for="[2a02:cfc0::1]:4711";proto=https', "FR"),
        ("for=89.160.20.112", "SE"),
        ("for=2001:218::1, for=89.160.20.112", "SE"),
        ("for=89.160.20.112, for=unknown", None),
        ("for=89.160.20.112, for=_hidden", None),
        ("by=89.160.20.112", None),
        ("nonsense", None),
    ],
)
def test_the_standard_header_is_read_where_it_is_configured(
    visitor: NewVisitor, settings: object, forwarded: str, country: str | None
) -> None:
    settings.TRUSTED_PROXY_HEADER = "Forwarded"
    browser = visitor("214.78.120.1", forwarded=forwarded)
    assert decision(browser)["location"]["country"] == country


PROXY, TOKYO = (
    "2a02:cfc0::1",
    "2001:218::1",
)  # a public address in France, and one in JP


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
@pytest.mark.parametrize(
    ("hops", "country"),
    [
        ([], None),
        ([""], None),
        ([PROXY], None),
        (["2a02:cfc0::2", PROXY], None),
        ([TOKYO], "JP"),
        ([TOKYO, PROXY], "JP"),
        ([TOKYO, "2a02:cfc0::2", PROXY], "JP"),
        (["garbage", PROXY], None),
        (["10.0.0.7", PROXY], None),
    ],
)
def test_a_visitor_is_never_taken_to_be_where_the_trusted_proxy_stands(
    visitor: NewVisitor,
    noon: object,
    settings: object,
    header: str,
    hops: list[str],
    country: str | None,
) -> None:
    settings.TRUSTED_PROXIES = ["2a02:cfc0::/64"]
    settings.TRUSTED_PROXY_HEADER = header
    words = [f'for="[{hop}]"' for hop in hops] if header == "Forwarded" else hops
    browser = visitor(**({header: ", ".join(words)} if hops else {}))
    browser.defaults["REMOTE_ADDR"] = PROXY
    found = decision(browser)
    assert found["location"]["country"] == country
    assert_decided(found, country or "", country or "*", ASKED if not country else TOLD)


def test_a_visitor_who_comes_without_any_proxy_is_at_their_own_address(
    visitor: NewVisitor, noon: object, settings: object
) -> None:
    settings.TRUSTED_PROXIES = []
    browser = visitor(TOKYO)
    browser.defaults["REMOTE_ADDR"] = PROXY
    assert_decided(decision(browser), "FR", "FR", ASKED)


# --- declared regions ---------------------------------------------------------------


def test_every_declared_region_counts_beside_the_place_of_the_visitor() -> None:
    told = declared(place("JP"), "JP", "FR")
    assert told == place("JP JP FR")
    assert declared(place("SE-E DE"), "DE", None, "CA-QC") == place("SE-E DE CA-QC")
    assert declared(place("JP"), None, None) == place("JP")
    assert declared(place("JP")) == place("JP")


def test_declared_regions_of_nobody_knows_where_leave_the_unknown_place_in_force() -> (
    None
):
    told = declared(place(""), "CA-QC", "FR", "CA-QC")
    assert (told.country, told.subdivision, told.also) == ("CA", "CA-QC", ("FR",))
    assert told.anonymous
    assert told.source is Source.DECLARED


@pytest.mark.parametrize("asked", ["JP", "US-AK", "FR", "XX", ""])
def test_naming_another_region_takes_no_protection_of_the_first_away(
    visitor: NewVisitor, noon: object, asked: str
) -> None:
    browser = visitor(TOKYO)
    send(browser, body(NONE), query="?place=FR")
    rule = decision(browser, f"?place={asked}")["jurisdiction"]["rule"]
    assert "FR" in rule.split("+")
    page = browser.get(f"/?place={asked}")
    assert "FR" in page.wsgi_request.consent.rule.places
