"""What `make check` finds in message files."""

from gettext import c2py
from pathlib import Path

import pytest
from babel import Locale
from django.utils.translation import to_locale

import bootstrap
from tests import plurals, translations
from tests.wording import unwanted

HEADER = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"
"X-Reviewed: none\\n"

"""
GREETING = 'msgid "Hello %(name)s"\nmsgstr "{}"\n'
FRENCH = "consent/locale/fr/LC_MESSAGES/django.po"


@pytest.fixture
def messages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one template, and where its French messages go."""
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/page.html").write_text(
        "<p>\n    {% blocktranslate %}Hello {{ name }}{% endblocktranslate %}\n</p>\n"
    )
    (tmp_path / FRENCH).parent.mkdir(parents=True)
    return tmp_path / FRENCH


def found() -> list[str]:
    return list(translations.problems(FRENCH))


def test_a_message_that_no_file_has_is_named(messages: Path) -> None:
    messages.write_text(HEADER)
    assert f"{FRENCH}: not translated: Hello %(name)s" in found()


def test_an_empty_and_a_fuzzy_translation_are_none(messages: Path) -> None:
    for text in (GREETING.format(""), "#, fuzzy\n" + GREETING.format("Bonjour")):
        messages.write_text(HEADER + text)
        assert f"{FRENCH}: not translated: Hello %(name)s" in found()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Bonjour %(nom)s", "a placeholder that the message lacks"),
        ("Bonjour", "a placeholder is lost"),
        ("<b>Bonjour</b> %(name)s", "other tags than the message has"),
        ("D’accord %(name)s", "unwanted wording (d’accord)"),
        ("OK %(name)s", "unwanted wording (ok)"),
    ],
)
def test_a_translation_that_says_something_else_is_named(
    messages: Path, text: str, says: str
) -> None:
    messages.write_text(HEADER + GREETING.format(text))
    assert f"{FRENCH}: {says}: Hello %(name)s" in found()


def test_a_file_says_who_reviewed_it(messages: Path) -> None:
    said = HEADER.replace("X-Reviewed: none", "X-Reviewed: perhaps")
    messages.write_text(said + GREETING.format("Bonjour %(name)s"))
    assert any("X-Reviewed is one of none, native, lawyer" in one for one in found())


def test_a_file_that_changed_since_it_was_compiled_is_named(messages: Path) -> None:
    messages.write_text(HEADER + GREETING.format("Bonjour %(name)s"))
    translations.write("fr")
    assert found() == []
    changed = messages.read_text().replace("Bonjour", "Salut")
    messages.write_text(changed)
    assert any("make translations" in problem for problem in found())


def test_writing_adds_what_is_to_be_translated(messages: Path) -> None:
    messages.write_text(HEADER)
    translations.write("fr")
    assert 'msgid "Hello %(name)s"' in messages.read_text()
    assert found() == [f"{FRENCH}: not translated: Hello %(name)s"]


def test_what_was_translated_elsewhere_is_taken_in(messages: Path) -> None:
    translations.take({"Hello %(name)s": "Bonjour %(name)s"}, "fr")
    assert found() == []
    assert messages.with_suffix(".mo").exists()


def test_a_language_without_a_message_file_is_named(messages: Path) -> None:
    (bootstrap.ROOT / "settings").mkdir()
    (bootstrap.ROOT / "settings/__init__.py").write_text(
        'LANGUAGE_CODE = "en"\n'
        'LANGUAGES = [("fr", "Français"), ("pt-br", "Português")]\n'
    )
    (lacking,) = translations.without_file([FRENCH])
    assert lacking.startswith("consent/locale/pt_BR/")
    assert len(list(translations.without_file([]))) == 2


@pytest.mark.parametrize("code", plurals.RULES)
def test_numbers_that_cldr_tells_apart_have_forms_of_their_own(code: str) -> None:
    """But for what we leave to one form on purpose."""
    count, rule = plurals.RULES[code]
    ours = c2py(rule)
    # What CLDR calls plain Portuguese is Brazil's.
    theirs = Locale.parse("pt_PT" if code == "pt" else to_locale(code)).plural_form
    used = {n: (ours(n), theirs(n)) for n in range(300)}
    assert {form for form, _ in used.values()} == set(range(count))
    joined = {
        frozenset(their for form, their in used.values() if form == number)
        for number in range(count)
    }
    allowed = {frozenset(pair) for pair in TOGETHER.get(code, ())}
    assert {some for some in joined if len(some) > 1} <= allowed


# Forms that CLDR has and our translations do without, by what is one form here.
TOGETHER = {
    "he": [("two", "other")],
    "lv": [("zero", "other")],
    "mt": [("few", "two", "other")],
    "vi": [("one", "other")],
}


@pytest.mark.parametrize("code", ["fr", "zh-hant", "ga"])
def test_a_phrase_is_only_unwanted_in_its_own_language(code: str) -> None:
    assert unwanted(code, "Alles klar") == []
    assert unwanted(code, "OK, got it") == ["ok", "got it"]
