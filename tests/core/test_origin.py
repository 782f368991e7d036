"""Where a write may come from: the first line that applies decides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.core.origin import Trust, same_origin, trust

OWN = "https://shop.example"
LISTED = "https://app.example"


def trusted(*, fetch_site=None, origin=None, referer=None, token=False):
    return trust(
        own=OWN,
        allowed=frozenset({LISTED}),
        fetch_site=fetch_site,
        origin=origin,
        referer=referer,
        token_valid=lambda: token,
    )


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"fetch_site": "same-origin"}, Trust.FULL),
        ({"fetch_site": "same-origin", "origin": "null"}, Trust.FULL),
        ({"origin": OWN}, Trust.FULL),
        ({"origin": "https://shop.example:443"}, Trust.FULL),
        ({"origin": LISTED, "fetch_site": "cross-site"}, Trust.FULL),
        ({"origin": "http://shop.example"}, Trust.NONE),
        ({"origin": "https://shop.example:8443"}, Trust.NONE),
        ({"origin": "https://shop.example.evil.example"}, Trust.NONE),
        ({"origin": "https://evil.example", "token": True}, Trust.NONE),
        ({"origin": "https://evil.example", "referer": OWN}, Trust.NONE),
        ({"fetch_site": "same-site"}, Trust.NONE),
        ({"fetch_site": "cross-site", "token": True}, Trust.NONE),
        ({"fetch_site": "cross-site", "origin": "null", "token": True}, Trust.NONE),
        ({"fetch_site": "none"}, Trust.NONE),
        ({"origin": "null", "referer": f"{OWN}/page"}, Trust.FULL),
        ({"origin": "null", "token": True}, Trust.FULL),
        ({"token": True}, Trust.FULL),
        ({"referer": "https://evil.example/?https://shop.example"}, Trust.REFUSE_ONLY),
        ({"origin": "null"}, Trust.REFUSE_ONLY),
        ({}, Trust.REFUSE_ONLY),
    ],
)
def test_the_first_line_that_applies_decides(headers, expected):
    assert trusted(**headers) is expected


@given(st.text())
def test_no_made_up_origin_is_let_in(origin):
    if origin not in {"null", OWN, LISTED}:
        assert trusted(origin=origin, token=True) is not Trust.FULL or same_origin(
            origin, OWN
        )


@pytest.mark.parametrize(
    "address", ["", "shop.example", "https://", "https://[", "x://a"]
)
def test_what_is_no_web_address_has_no_origin(address):
    assert not same_origin(address, address)
