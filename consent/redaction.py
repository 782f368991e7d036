"""Logs without receipt numbers: a number is the only key to its receipt.

Django logs the path of every request that it answers with an error. The filter stands
on each logger that writes paths, because a filter of a logger does not see the records
of the loggers below it.
"""

import logging
import re
from typing import Final

LOGGERS: Final = (
    "django.request",
    "django.security",
    "django.security.csrf",
    "django.server",
)
# The page of a receipt can also stand, encoded, in the query of another address.
_RECEIPT: Final = re.compile(
    r"((?:/|%2F)receipts(?:/|%2F))(?:(?!%2F|%3F|%23|%26)[^/?#&\s])+", re.IGNORECASE
)


class WithoutReceipts(logging.Filter):
    """Replace the number in `/receipts/<number>`, the API's too, by `…`."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _hidden(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(_hidden(value) for value in record.args)
        elif record.args:
            record.args = {key: _hidden(value) for key, value in record.args.items()}
        return True


def guard_receipts() -> None:
    """Put the filter on the loggers that write paths, once."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(kept, WithoutReceipts) for kept in logger.filters):
            logger.addFilter(WithoutReceipts())


def _hidden(value: object) -> object:
    """A text without numbers; what is no text only where it would show one."""
    text = str(value)
    return _RECEIPT.sub(r"\1…", text) if _RECEIPT.search(text) else value
