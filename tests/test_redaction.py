"""Receipt numbers and logs: a number is a key, and no log may hold one."""

import logging

import pytest
from django.test import Client

from consent.redaction import LOGGERS, WithoutReceipts, guard_receipts
from tests.conftest import NewVisitor
from tests.visits import ALL, choose

NUMBER = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("method", "number"),
    [
        ("post", "the own"),
        ("delete", "the own"),
        ("get", NUMBER),
        ("get", "garbage%20with%20spaces"),
        ("get", "%22quoted"),
    ],
)
def test_a_request_that_fails_is_logged_without_its_receipt_number(
    parisian: Client, caplog: pytest.LogCaptureFixture, method: str, number: str
) -> None:
    own = choose(parisian, ALL)["receipt"]["id"]
    caplog.clear()
    number = own if number == "the own" else number
    response = getattr(parisian, method)(f"/api/v1/receipts/{number}")
    assert response.status_code in {404, 405}
    lines = [record.getMessage() for record in caplog.records]
    assert any("/api/v1/receipts/…" in line for line in lines)
    assert not any(number[:8] in line for line in lines)


@pytest.mark.parametrize(
    ("method", "rest"), [("post", ""), ("get", "receipt.xml"), ("delete", "notice/")]
)
def test_a_page_of_a_receipt_that_fails_is_logged_without_its_number(
    parisian: Client, caplog: pytest.LogCaptureFixture, method: str, rest: str
) -> None:
    own = choose(parisian, ALL)["receipt"]["id"]
    caplog.clear()
    response = getattr(parisian, method)(f"/receipts/{own}/{rest}")
    assert response.status_code in {404, 405}
    lines = [record.getMessage() for record in caplog.records]
    assert any(f"/receipts/…/{rest}" in line for line in lines)
    assert not any(own[:8] in line for line in lines)


def test_other_failures_are_logged_with_their_path(
    visitor: NewVisitor, caplog: pytest.LogCaptureFixture
) -> None:
    visitor().get("/no-such-page/")
    assert "/no-such-page/" in caplog.text


@pytest.mark.parametrize("name", LOGGERS)
def test_every_logger_that_writes_paths_has_the_filter_once(name: str) -> None:
    guard_receipts()
    kept = logging.getLogger(name).filters
    assert sum(isinstance(one, WithoutReceipts) for one in kept) == 1


@pytest.mark.parametrize(
    ("message", "arguments", "line"),
    [
        (f"GET /api/v1/receipts/{NUMBER}", (), "GET /api/v1/receipts/…"),
        ('"%s" %s', (f"GET /api/v1/receipts/{NUMBER} H", 404), "404"),
        ("%(path)s", ({"path": f"/api/v1/receipts/{NUMBER}?a=1"},), "?a=1"),
        (f"GET /receipts/{NUMBER}/receipt.json", (), "GET /receipts/…/receipt.json"),
        (f"GET /receipts/{NUMBER}?as=paris", (), "GET /receipts/…?as=paris"),
        (f"GET /x/?to=%2Freceipts%2F{NUMBER}%2F&a=1", (), "to=%2Freceipts%2F…%2F&a=1"),
        (f"GET /x/?to=%2freceipts%2f{NUMBER}", (), "to=%2freceipts%2f…"),
        ("100% of %", (), "100% of %"),
        (RuntimeError(f"/api/v1/receipts/{NUMBER}"), (), "/api/v1/receipts/…"),
    ],
)
def test_a_line_of_any_shape_loses_its_number(
    message: object, arguments: tuple[object, ...], line: str
) -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, message, arguments, None)
    assert WithoutReceipts().filter(record)
    assert NUMBER not in record.getMessage()
    assert line in record.getMessage()
