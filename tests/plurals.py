"""How many forms a plural has in each language, and which number takes which.

Written down here and not asked of a library, whose tables change under translations
that are made; the numbers are held against Unicode CLDR in
tests/toolchain/test_translations.py. Forms for millions, fractions and the like, which
no text of ours has, are left out.
"""

from typing import Final

_ONE_OTHER: Final = (2, "n != 1")
_SLAVIC: Final = (
    3,
    "n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2",
)
RULES: Final = {
    **dict.fromkeys(("bg", "da", "de", "el", "en", "es", "et", "fi"), _ONE_OTHER),
    **dict.fromkeys(("he", "hu", "it", "ka", "nb", "nl", "pt"), _ONE_OTHER),
    **dict.fromkeys(("sq", "sv", "tr"), _ONE_OTHER),
    **dict.fromkeys(("fr", "fr-ca", "hi", "pt-br"), (2, "n > 1")),
    **dict.fromkeys(("hr", "ru", "sr", "uk"), _SLAVIC),
    **dict.fromkeys(("id", "ja", "ko", "th", "vi", "zh-hans", "zh-hant"), (1, "0")),
    **dict.fromkeys(("cs", "sk"), (3, "n==1 ? 0 : n>=2 && n<=4 ? 1 : 2")),
    **dict.fromkeys(("is", "mk"), (2, "n%10==1 && n%100!=11 ? 0 : 1")),
    "ar": (
        6,
        "n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>10 ? 4 : 5",
    ),
    "ga": (5, "n==1 ? 0 : n==2 ? 1 : n>=3 && n<=6 ? 2 : n>=7 && n<=10 ? 3 : 4"),
    "lt": (
        3,
        "n%10==1 && n%100!=11 ? 0 : n%10>=2 && (n%100<10 || n%100>=20) ? 1 : 2",
    ),
    "lv": (3, "n%10==1 && n%100!=11 ? 0 : n != 0 ? 1 : 2"),
    "mt": (
        4,
        "n==1 ? 0 : n==0 || (n%100>=1 && n%100<=10) ? 1 : n%100>10 && n%100<20 ? 2 : 3",
    ),
    "pl": (3, "n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2"),
    "ro": (3, "n==1 ? 0 : n==0 || (n%100>0 && n%100<20) ? 1 : 2"),
    "sl": (4, "n%100==1 ? 0 : n%100==2 ? 1 : n%100==3 || n%100==4 ? 2 : 3"),
}


def plural_forms(code: str) -> str:
    """The header Plural-Forms for a language."""
    count, rule = RULES[code]
    return f"nplurals={count}; plural=({rule});"
