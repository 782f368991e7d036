"""The demo's site and policy: an honest example of what an editor publishes."""

from typing import Any, Final

SITE: Final[dict[str, Any]] = {
    "slug": "default",
    "name": "Harbour Bakery",
    "hosts": ["127.0.0.1", "localhost", "[::1]"],
    "languages": ["en", "fr", "de", "es"],
    "controller_name": "Harbour Bakery Ltd",
    "controller_address": "1 Quay Street, Exampletown",
    "controller_contact": "privacy@bakery.example",
    "privacy_policy_url": "https://bakery.example/privacy",
}


def _texts(en: str, fr: str, de: str, es: str) -> dict[str, str]:
    return {"en": en, "fr": fr, "de": de, "es": es}


POLICY: Final[dict[str, Any]] = {
    "purposes": {"functional": {}, "analytics": {}, "marketing": {}},
    "services": [
        {
            "slug": "chat",
            "purpose": "functional",
            "name": "Oven Chat",
            "provider": "Oven Chat GmbH",
            "description": _texts(
                "A chat with our staff.",
                "Une discussion avec notre équipe.",
                "Ein Chat mit unserem Team.",
                "Un chat con nuestro equipo.",
            ),
            "cookies": [{"name": "ovenchat", "days": 30, "description": {}}],
        },
        {
            "slug": "statistics",
            "purpose": "analytics",
            "name": "Own statistics",
            "provider": "Harbour Bakery Ltd",
            "description": _texts(
                "Counts visits for us alone; nothing is passed on.",
                "Compte les visites pour nous seuls ; rien n’est transmis.",
                "Zählt Besuche nur für uns; nichts wird weitergegeben.",
                "Cuenta las visitas solo para nosotros; nada se comparte.",
            ),
            "cookies": [{"name": "crumbs", "days": 390, "description": {}}],
        },
        {
            "slug": "video",
            "purpose": "marketing",
            "name": "Video player",
            "provider": "Example Video Inc.",
            "description": _texts(
                "Shows films of another company, which learns what you watch.",
                "Montre des films d’une autre société, qui sait ce que vous regardez.",
                "Zeigt Filme einer anderen Firma, die erfährt, was Sie ansehen.",
                "Muestra vídeos de otra empresa, que sabe lo que usted ve.",
            ),
            "cookies": [{"name": "vid_*", "days": 180, "description": {}}],
        },
        {
            "slug": "adverts",
            "purpose": "marketing",
            "name": "Advertising",
            "provider": "Example Ads Inc.",
            "description": _texts(
                "Shows our offers on other sites.",
                "Montre nos offres sur d’autres sites.",
                "Zeigt unsere Angebote auf anderen Seiten.",
                "Muestra nuestras ofertas en otros sitios.",
            ),
            "cookies": [{"name": "_ads", "days": 90, "description": {}}],
        },
    ],
    "rules": {},
}
