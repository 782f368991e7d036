"""`manage.py check_rulebook` tells and fails."""

import sys
from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from consent.management.commands import check_rulebook
from consent.rulebook import RuleBookError, load


def told(*arguments: str) -> str:
    out = StringIO()
    call_command("check_rulebook", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_tells_what_the_book_consists_of():
    text = told()
    assert load().version in text
    assert "pycountry 2" in text
    assert "confidence low" in text
    assert "not reviewed" in text


def test_with_check_a_sound_book_is_silent():
    assert told("--check") == ""


def test_a_problem_is_printed_and_fails(monkeypatch):
    book = replace(load(), aliases=())
    broken = replace(book, rows=book.rows[1:])
    monkeypatch.setattr(check_rulebook, "load", lambda: broken)
    err = StringIO()
    with pytest.raises(CommandError, match="1 problems"):
        call_command("check_rulebook", "--check", stderr=err)
    assert "without a row" in err.getvalue()


def test_data_that_cannot_be_read_fail_with_their_sentence(monkeypatch):
    def unreadable():
        raise RuleBookError("europe.toml cannot be read")

    monkeypatch.setattr(check_rulebook, "load", unreadable)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("check_rulebook")


def test_without_the_library_of_codes_the_command_fails_with_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "pycountry", None)
    with pytest.raises(CommandError, match="pycountry is not installed"):
        call_command("check_rulebook")
