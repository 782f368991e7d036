"""What `make check` finds in message files."""

from pathlib import Path

import pytest

import bootstrap
from tests import translations

HEADER = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"

"""
GREETING = 'msgid "Hello %(name)s"\nmsgstr "{}"\n'


@pytest.fixture
def messages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one template, and where its message file goes."""
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/page.html").write_text(
        "<p>\n    {% blocktranslate %}Hello {{ name }}{% endblocktranslate %}\n</p>\n"
    )
    (tmp_path / "consent").mkdir()
    return tmp_path / "consent/django.po"


def found(messages: Path) -> list[str]:
    return list(translations.problems(str(messages.relative_to(bootstrap.ROOT))))


def test_a_message_that_no_file_has_is_named(messages: Path) -> None:
    messages.write_text(HEADER)

    assert "consent/django.po: not translated: Hello %(name)s" in found(messages)


def test_an_empty_and_a_fuzzy_translation_are_none(messages: Path) -> None:
    for text in (GREETING.format(""), "#, fuzzy\n" + GREETING.format("Bonjour")):
        messages.write_text(HEADER + text)

        assert "consent/django.po: not translated: Hello %(name)s" in found(messages)


def test_a_placeholder_that_the_message_lacks_is_named(messages: Path) -> None:
    messages.write_text(HEADER + GREETING.format("Bonjour %(nom)s"))

    assert any("placeholder" in problem for problem in found(messages))


def test_a_file_that_changed_since_it_was_compiled_is_named(messages: Path) -> None:
    messages.write_text(HEADER + GREETING.format("Bonjour %(name)s"))
    translations.write("consent/django.po")
    assert found(messages) == []

    messages.write_text(HEADER + GREETING.format("Salut %(name)s"))

    assert any("make translations" in problem for problem in found(messages))


def test_writing_adds_what_is_to_be_translated(messages: Path) -> None:
    messages.write_text(HEADER)

    translations.write("consent/django.po")

    assert 'msgid "Hello %(name)s"' in messages.read_text()
    assert found(messages) == ["consent/django.po: not translated: Hello %(name)s"]


def test_a_language_without_a_message_file_is_named(messages: Path) -> None:
    (bootstrap.ROOT / "settings").mkdir()
    (bootstrap.ROOT / "settings/__init__.py").write_text(
        'LANGUAGE_CODE = "en"\n'
        'LANGUAGES = [("en", _("English")), ("fr", _("French")), ("pt-br", _("x"))]\n'
    )
    french = "consent/locale/fr/LC_MESSAGES/django.po"

    (lacking,) = translations.without_file([french])

    assert lacking.startswith("consent/locale/pt_BR/")
    assert len(list(translations.without_file([]))) == 2
