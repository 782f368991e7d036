"""From an HTTP request to a visitor: who, from where, with which choice."""

from consent.visitor.address import client_address, from_trusted_proxy
from consent.visitor.cookies import (
    Cookies,
    believed,
    clear_choice,
    clear_visitor_id,
    cookie_value,
    issue_choice,
    issue_visitor_id,
    read_choice,
    read_linked_id,
    read_visitor_id,
    strays,
)
from consent.visitor.earlier import declarations, read_earlier
from consent.visitor.place import declared, locate_request, region_named
from consent.visitor.signals import signals_of

__all__ = [
    "Cookies",
    "believed",
    "clear_choice",
    "clear_visitor_id",
    "client_address",
    "cookie_value",
    "declarations",
    "declared",
    "from_trusted_proxy",
    "issue_choice",
    "issue_visitor_id",
    "locate_request",
    "read_choice",
    "read_earlier",
    "read_linked_id",
    "read_visitor_id",
    "region_named",
    "signals_of",
    "strays",
]
