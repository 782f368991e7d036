"""Whether every message is translated: `python -m tests.translations [--write]`.

Reads the messages out of Python files and templates as `makemessages` does, but needs
no gettext programs. Messages that visitors read must be there in every language, those
that only staff read in the languages that `consent.languages.STAFF` names.

`--write` adds new messages to the message files, to be translated, and writes the
compiled form that Django reads; `--prune` also drops messages that are nowhere any
more. `--import FILE` takes translations from a JSON object into the message files,
making those that are not there: `{"code": {"message": "text"}}`, with a list of plural
forms where the message has a plural, and the context before the message, divided by
U+0004, where it has one.
"""

import ast
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

import polib
from babel.messages.extract import extract
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

import bootstrap
from consent.languages import SOURCE, STAFF
from tests.plurals import plural_forms
from tests.wording import unwanted

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
TAG = re.compile(r"</?[a-z][^>]*>")
FOLDERS = ("consent/", "settings/", "templates/")
STAFF_PLACES = (
    *("consent/admin/", "consent/models/", "templates/admin/"),
    *("consent/apps.py", "consent/publication.py"),
)
REVIEWED = ("none", "native", "lawyer")

Key = tuple[str | None, str]


def messages() -> dict[Key, polib.POEntry]:
    """Every message of the product, by context and text."""
    return _messages(bootstrap.ROOT)


@cache
def _messages(_root: Path) -> dict[Key, polib.POEntry]:
    names = [n for n in bootstrap.sources("*.py", "*.html") if n.startswith(FOLDERS)]
    found: dict[Key, polib.POEntry] = {}
    for name in names:
        for entry in extracted(name):
            first = found.setdefault(key(entry), entry)
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


def key(entry: polib.POEntry) -> Key:
    return entry.msgctxt, entry.msgid


def for_visitors(entry: polib.POEntry) -> bool:
    """Whether a message is read anywhere but in the administration."""
    return not all(place.startswith(STAFF_PLACES) for place, _ in entry.occurrences)


def needed(code: str) -> dict[Key, polib.POEntry]:
    """The messages that a language must have."""
    whole = code in STAFF and code != SOURCE
    return {k: e for k, e in messages().items() if whole or for_visitors(e)}


def missing(texts: polib.POFile, code: str) -> list[polib.POEntry]:
    known = {key(e) for e in texts if not e.obsolete}
    return [entry for key, entry in needed(code).items() if key not in known]


def problems(name: str) -> Iterator[str]:
    """What is wrong with a message file, in sentences that begin with its name."""
    texts = polib.pofile(str(bootstrap.ROOT / name))
    code = code_of(name)
    unfinished = texts.untranslated_entries() + texts.fuzzy_entries()
    for entry in [*missing(texts, code), *unfinished]:
        yield f"{name}: not translated: {entry.msgid}"
    for entry in texts.translated_entries():
        yield from (f"{name}: {found}: {entry.msgid}" for found in broken(entry))
        for phrase in unwanted(code, *said(entry)):
            yield f"{name}: unwanted wording ({phrase}): {entry.msgid}"
    yield from (f"{name}: {found}" for found in of_header(texts.metadata, code))
    compiled = compiled_form(name)
    if not compiled.exists() or compiled.read_bytes() != texts.to_binary():
        yield f"{name}: not compiled since it changed: run `make translations`"


def broken(entry: polib.POEntry) -> Iterator[str]:
    """Placeholders and tags that a translation lost or made up."""
    source = placeholders(entry.msgid, entry.msgid_plural)
    if placeholders(*said(entry)) - source:
        yield "a placeholder that the message lacks"
    # A plural form may do without the number: "one day".
    if not entry.msgid_plural and source - placeholders(entry.msgstr):
        yield "a placeholder is lost"
    for text in said(entry):
        if sorted(TAG.findall(text)) != sorted(TAG.findall(entry.msgid)):
            yield "other tags than the message has"


def of_header(header: dict[str, str], code: str) -> Iterator[str]:
    if code != SOURCE and header.get("X-Reviewed") not in REVIEWED:
        yield f"the header X-Reviewed is one of {', '.join(REVIEWED)}"
    if header.get("Plural-Forms") != plural_forms(code):
        yield f"the header Plural-Forms is {plural_forms(code)}"


def said(entry: polib.POEntry) -> list[str]:
    """The texts of a translation: one, or each plural form."""
    return list(entry.msgstr_plural.values()) or [entry.msgstr]


def languages() -> list[str]:
    """The codes of LANGUAGES.

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
    pairs = values["LANGUAGES"].elts  # type: ignore[attr-defined]
    return [ast.literal_eval(pair.elts[0]) for pair in pairs]


def file_of(code: str) -> str:
    return f"consent/locale/{to_locale(code)}/LC_MESSAGES/django.po"


def code_of(name: str) -> str:
    """The language of a message file, by the folder it lies in."""
    return Path(name).parent.parent.name.replace("_", "-").lower()


def without_file(files: list[str]) -> Iterator[str]:
    for code in languages():
        if file_of(code) not in files:
            yield f"{file_of(code)}: not there, but {code} is one of LANGUAGES"


def placeholders(*texts: str) -> set[str]:
    return {found for text in texts for found in PLACEHOLDER.findall(text)}


def compiled_form(name: str) -> Path:
    return (bootstrap.ROOT / name).with_suffix(".mo")


def opened(code: str) -> polib.POFile:
    """A language's message file, with what its header must say."""
    path = bootstrap.ROOT / file_of(code)
    texts = polib.pofile(str(path), wrapwidth=88) if path.exists() else polib.POFile()
    texts.wrapwidth = 88
    texts.fpath = str(path)
    texts.header = ""
    texts.metadata = {
        "Project-Id-Version": "consent",
        "Language": to_locale(code),
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": plural_forms(code),
    } | ({} if code == SOURCE else {"X-Reviewed": "none"} | reviewed(texts))
    return texts


def reviewed(texts: polib.POFile) -> dict[str, str]:
    return {k: v for k, v in texts.metadata.items() if k == "X-Reviewed"}


def write(code: str, *, prune: bool = False) -> None:
    """Add what a language lacks, and compile it."""
    texts = opened(code)
    if code == SOURCE:
        texts.clear()
    known = needed(code)
    texts.extend(missing(texts, code))
    for entry in list(texts):
        if key(entry) in known:
            entry.occurrences = known[key(entry)].occurrences
        elif prune:
            texts.remove(entry)
        if code == SOURCE:
            speak_for_itself(entry)
    kept(texts)


def speak_for_itself(entry: polib.POEntry) -> None:
    """Let a message be its own translation, as it is in the source language."""
    if entry.msgid_plural:
        entry.msgstr_plural = {0: entry.msgid, 1: entry.msgid_plural}
    else:
        entry.msgstr = entry.msgid


def kept(texts: polib.POFile) -> None:
    path = Path(texts.fpath)
    path.parent.mkdir(parents=True, exist_ok=True)
    texts.sort(key=lambda entry: (entry.msgid, entry.msgctxt or ""))
    texts.save(str(path))
    texts.save_as_mofile(str(path.with_suffix(".mo")))


def take(given: dict[str, str | list[str]], code: str) -> None:
    """Take translations by message into a language's message file."""
    texts = opened(code)
    texts.extend(missing(texts, code))
    for entry in texts:
        context = f"{entry.msgctxt}\x04" if entry.msgctxt else ""
        text = given.get(context + entry.msgid)
        if isinstance(text, list):
            entry.msgstr_plural = dict(enumerate(text))
        elif text:
            entry.msgstr = text
    kept(texts)


def main() -> None:
    if "--import" in sys.argv:
        for code, given in json.loads(Path(sys.argv[-1]).read_text()).items():
            take(given, code)
    if {"--write", "--prune"} & set(sys.argv):
        for code in languages():
            write(code, prune="--prune" in sys.argv)
    files = bootstrap.sources("*.po")
    found = list(without_file(files))
    found += [problem for name in files for problem in problems(name)]
    for problem in found:
        bootstrap.say(problem)
    raise SystemExit(1 if found else 0)


if __name__ == "__main__":
    main()
