"""How many forms a plural has in each language, and which number takes which."""

from babel.messages.plurals import PLURALS

# Where the tables of Babel's message files have none, or fewer than people write.
# Checked against CLDR in tests/toolchain/test_translations.py.
OWN = {
    **dict.fromkeys(("hu", "tr", "ka", "sq"), (2, "(n != 1)")),
    "mk": (2, "(n % 10 == 1 && n % 100 != 11 ? 0 : 1)"),
    "id": (1, "0"),
}


def plural_forms(code: str) -> str:
    """The header Plural-Forms for a language."""
    base = code.partition("-")[0]
    count, rule = OWN.get(base) or PLURALS[_key(code)]
    return f"nplurals={count}; plural={rule};"


def _key(code: str) -> str:
    """The name under which Babel has a language: `pt_BR`, else `pt`."""
    base, _dash, variety = code.partition("-")
    exact = f"{base}_{variety.upper()}"
    return exact if exact in PLURALS else base
