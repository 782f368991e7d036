"""Whether every message is translated: `python -m tests.translations [--write]`.

Reads the messages out of Python files and templates as `makemessages` does, but needs
no gettext programs. With `--write` it adds new messages to the message files, to be
translated, and writes the compiled form that Django reads.
"""

import ast
import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import polib
from babel.messages.extract import extract
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

import bootstrap

# Which arguments hold the message, its plural and (c) its context.
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[a-z]|\{\w*\}")
FOLDERS = ("consent/", "settings/", "templates/")

Key = tuple[str | None, str]


def messages() -> dict[Key, polib.POEntry]:
    """Every message of the product, by context and text."""
    names = [n for n in bootstrap.sources("*.py", "*.html") if n.startswith(FOLDERS)]
    found: dict[Key, polib.POEntry] = {}
    for name in names:
        for entry in extracted(name):
            first = found.setdefault((entry.msgctxt, entry.msgid), entry)
            if first is not entry:
                first.occurrences += entry.occurrences
    return found


def extracted(name: str) -> Iterator[polib.POEntry]:
    source = (bootstrap.ROOT / name).read_text()
    if name.endswith(".html"):
        # What is left of a template has no meaningful indentation.
        lines = templatize(source).splitlines(keepends=True)
        source = "".join(line.lstrip(" \t") for line in lines)
    content = BytesIO(source.encode())
    for line, texts, _comments, context in extract("python", content, KEYWORDS):
        text, plural = texts if isinstance(texts, tuple) else (texts, "")
        yield polib.POEntry(
            msgctxt=context,
            msgid=text,
            msgid_plural=plural,
            msgstr_plural={0: "", 1: ""} if plural else {},
            occurrences=[(name, str(line))],
        )


def missing(texts: polib.POFile) -> list[polib.POEntry]:
    known = {(e.msgctxt, e.msgid) for e in texts if not e.obsolete}
    return [entry for key, entry in messages().items() if key not in known]


def problems(name: str) -> Iterator[str]:
    texts = polib.pofile(str(bootstrap.ROOT / name))
    unfinished = texts.untranslated_entries() + texts.fuzzy_entries()
    for entry in [*missing(texts), *unfinished]:
        yield f"{name}: not translated: {entry.msgid}"
    for entry in texts.translated_entries():
        source = placeholders(entry.msgid, entry.msgid_plural)
        if placeholders(entry.msgstr, *entry.msgstr_plural.values()) - source:
            yield f"{name}: a placeholder that the message lacks: {entry.msgid}"
    compiled = compiled_form(name)
    if not compiled.exists() or compiled.read_bytes() != texts.to_binary():
        yield f"{name}: not compiled since it changed: run `make translations`"


def languages() -> list[str]:
    """The codes of LANGUAGES but the one that messages are written in.

    Read from the source: importing the settings would make keys and folders.
    """
    tree = ast.parse((bootstrap.ROOT / "settings/__init__.py").read_text())
    values = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    own = ast.literal_eval(values["LANGUAGE_CODE"])
    pairs = values["LANGUAGES"].elts  # type: ignore[attr-defined]
    codes = [ast.literal_eval(pair.elts[0]) for pair in pairs]
    return [code for code in codes if code != own]


def without_file(files: list[str]) -> Iterator[str]:
    for code in languages():
        name = f"consent/locale/{to_locale(code)}/LC_MESSAGES/django.po"
        if name not in files:
            yield f"{name}: not there, but {code} is one of LANGUAGES"


def placeholders(*texts: str) -> set[str]:
    return {found for text in texts for found in PLACEHOLDER.findall(text)}


def compiled_form(name: str) -> Path:
    return (bootstrap.ROOT / name).with_suffix(".mo")


def write(name: str) -> None:
    texts = polib.pofile(str(bootstrap.ROOT / name), wrapwidth=88)
    texts.extend(missing(texts))
    texts.save()
    texts.save_as_mofile(str(compiled_form(name)))


def main() -> None:
    files = bootstrap.sources("*.po")
    if "--write" in sys.argv:
        for name in files:
            write(name)
    found = list(without_file(files))
    found += [problem for name in files for problem in problems(name)]
    for problem in found:
        bootstrap.say(problem)
    raise SystemExit(1 if found else 0)


if __name__ == "__main__":
    main()
