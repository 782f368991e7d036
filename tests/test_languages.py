"""The languages that pages speak: which are offered, which is picked, and who says."""

import html
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polib
import pytest
from django.conf import settings as loaded
from django.core.exceptions import ValidationError
from django.test import Client

from consent import languages, ledger, publication
from consent.core.purposes import OPTIONAL
from consent.languages import Reviewed
from consent.management.demo_site import POLICY, SITE
from consent.models import Content, Notice, Site
from consent.notices import words
from tests.conftest import NewVisitor
from tests.logs import write
from tests.visits import OWN_PAGE, decision, post_form, records, sign_in
from tests.wording import unwanted

CODES = [code for code, _name in loaded.LANGUAGES]
EUROPEAN = {
    *("bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "ga", "hr"),
    *("hu", "it", "lt", "lv", "mt", "nl", "pl", "pt", "ro", "sk", "sl", "sv"),
}
FURTHER = {
    *("nb", "is", "uk", "tr", "ar", "he", "ru", "ja", "ko", "zh-hans", "zh-hant"),
    *("hi", "id", "vi", "th", "pt-br", "fr-ca", "sr", "mk", "sq", "ka"),
}
RIGHT_TO_LEFT = {"ar", "he"}
WORDLESS = (
    "/keys",
    "/log/default/checkpoint",
    "/log/default/key",
    "/log/default/tile/0/000",
    "/consent.js",
    "/consent.css",
    "/.well-known/gpc.json",
    "/healthz",
)


@pytest.fixture
def everywhere(site: Site) -> Site:
    """The site speaks every language that there is, each confirmed by its editor."""
    spoken = SITE["languages"]
    speak(site, *spoken)
    return site


def speak(site: Site, *codes: str, confirmed: Iterable[str] | None = None) -> None:
    """Have a site speak some languages, as its row says from now on."""
    unread = [code for code in codes if code != "en"]
    if confirmed is not None:
        unread = list(confirmed)
    rows = Site.objects.filter(pk=site.pk)
    rows.update(languages=list(codes), unreviewed_languages=unread)
    publication.forget()
    site.refresh_from_db()


def page(browser: Client, address: str = "/", **headers: str) -> str:
    response = browser.get(address, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def spoken_by(text: str) -> tuple[str, str]:
    """The language and the direction that a page says of itself."""
    found = re.search(r'<html lang="([^"]+)" dir="([^"]+)"', text)
    assert found
    return found[1], found[2]


def banner(text: str) -> str:
    """The banner of a page."""
    found = re.search(r'<section class="consent.*?</section>', text, re.DOTALL)
    assert found, "the page has no banner"
    return html.unescape(found[0])


def label(text: str, answer: str) -> str:
    """What the button of the banner says that gives an answer."""
    found = re.search(rf'name="answer" value="{answer}">([^<]*)<', banner(text))
    assert found, answer
    return found[1].strip()


# --- which language is meant --------------------------------------------------------

MEANT = [
    (["de"], "en de", "de"),
    (["DE-AT"], "en de", "de"),
    (["de-Latn-AT-1996"], "en de", "de"),
    (["fr-ca"], "fr fr-ca", "fr-ca"),
    (["fr-ca"], "en fr", "fr"),
    (["fr-be"], "fr-ca fr", "fr"),
    (["fr"], "en fr-ca", "fr-ca"),
    (["pt-pt"], "pt-br pt", "pt"),
    (["pt-pt"], "en pt-br", "pt-br"),
    (["pt-br"], "pt pt-br", "pt-br"),
    (["zh-tw"], "zh-hans zh-hant", "zh-hant"),
    (["zh-HK"], "zh-hans zh-hant", "zh-hant"),
    (["zh-hant-tw"], "zh-hans zh-hant", "zh-hant"),
    (["zh-cn"], "zh-hant zh-hans", "zh-hans"),
    (["zh"], "zh-hant zh-hans", "zh-hans"),
    (["zh-tw"], "en zh-hans", "zh-hans"),
    (["no"], "en nb", "nb"),
    (["nn-NO"], "en nb", "nb"),
    (["iw"], "en he", "he"),
    (["iw-IL"], "en he", "he"),
    (["in"], "en id", "id"),
    (["mo"], "en ro", "ro"),
    (["xx", "fr"], "en fr", "fr"),
    (["de", "fr"], "fr de", "de"),
    (["xx"], "en fr", None),
    (["*"], "en fr", None),
    ([""], "en fr", None),
    ([], "en fr", None),
    (["d"], "de en", None),
    (["deu"], "de en", None),
]


@pytest.mark.parametrize(("wanted", "among", "found"), MEANT)
def test_a_wanted_language_is_found_under_whatever_tag_it_has(
    wanted: list[str], among: str, found: str | None
) -> None:
    assert languages.match(wanted, among.split()) == found


def test_a_header_names_the_most_wanted_first_and_no_unwanted() -> None:
    header = "fr;q=0.5, de-AT, en;q=0, *;q=0.1"
    assert languages.accepted(header) == ["de-at", "fr", "*"]


def test_every_alias_leads_to_a_language_that_is_there() -> None:
    assert set(languages.ALIASES.values()) <= set(CODES)
    assert not set(languages.ALIASES) & set(CODES)


# --- what is offered ----------------------------------------------------------------


def test_the_languages_that_were_promised_are_there() -> None:
    assert len(EUROPEAN) == 24
    assert set(CODES) == EUROPEAN | FURTHER
    assert len(CODES) == len(set(CODES))


@pytest.mark.parametrize("code", CODES)
def test_every_language_is_offered_whole(code: str) -> None:
    assert languages.missing(code) == frozenset()
    assert languages.offered(code)
    assert languages.fallback(code) == code


@pytest.mark.parametrize("code", CODES)
def test_a_language_says_its_direction_and_that_nobody_has_reviewed_it(
    code: str,
) -> None:
    found = languages.language(code)
    assert found.direction == ("rtl" if code in RIGHT_TO_LEFT else "ltr")
    assert found.name == dict(loaded.LANGUAGES)[code]
    assert found.reviewed is (Reviewed.SOURCE if code == "en" else Reviewed.NONE)


def test_a_language_that_is_not_known_is_not_offered() -> None:
    for code in ("xx", "", "de-at", "EN"):
        assert not languages.offered(code)
    with pytest.raises(KeyError):
        languages.language("xx")


def test_a_variety_that_is_not_there_falls_back_to_its_language_or_to_none() -> None:
    assert languages.fallback("de-at") == "de"
    assert languages.fallback("xx-yy") is None
    assert languages.spoken(["de-at", "xx", "fr", "de"]) == ("de", "fr")


type Catalogue = dict[str, str]


@pytest.fixture
def catalogues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write catalogues, which then stand in place of the product's."""
    monkeypatch.setattr(languages, "_LOCALE", tmp_path)

    def write(code: str, texts: Catalogue, **header: str) -> None:
        file = polib.POFile()
        file.metadata = {
            "Content-Type": "text/plain; charset=UTF-8",
            **{name.replace("_", "-"): value for name, value in header.items()},
        }
        file.extend(polib.POEntry(msgid=k, msgstr=v) for k, v in texts.items())
        folder = tmp_path / code / "LC_MESSAGES"
        folder.mkdir(parents=True)
        file.save_as_mofile(str(folder / "django.mo"))

    return write


WHOLE = {"Yes": "Ja", "No": "Nein"}


def test_a_language_that_lacks_one_message_is_not_offered(catalogues: Any) -> None:
    catalogues("en", {"Yes": "Yes", "No": "No"})
    catalogues("de", WHOLE)
    catalogues("fr", {"Yes": "Oui"})
    assert languages.offered("de")
    assert not languages.offered("fr")
    assert languages.missing("fr") == {"No"}
    assert not languages.offered("it")
    assert languages.missing("it") >= {"Yes", "No"}
    assert languages.offered("en")


def test_without_the_list_of_messages_only_the_source_is_offered(
    catalogues: Any,
) -> None:
    catalogues("de", WHOLE)
    assert not languages.offered("de")
    assert languages.offered("en")


def test_a_message_stands_as_it_is_where_a_catalogue_lacks_it(catalogues: Any) -> None:
    catalogues("de", WHOLE)
    assert languages.translated("Yes", "de") == "Ja"
    assert languages.translated("Perhaps", "de") == "Perhaps"
    assert languages.translated("Yes", "it") == "Yes"


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ({"X_Reviewed": "native"}, Reviewed.NATIVE),
        ({"X_Reviewed": "lawyer"}, Reviewed.LAWYER),
        ({"X_Reviewed": "none"}, Reviewed.NONE),
        ({"X_Reviewed": "my cousin"}, Reviewed.NONE),
        ({"X_Reviewed": "source"}, Reviewed.NONE),
        ({}, Reviewed.NONE),
    ],
)
def test_only_a_catalogue_that_says_so_well_is_reviewed(
    catalogues: Any, header: dict[str, str], found: Reviewed
) -> None:
    catalogues("de", WHOLE, **header)
    assert languages.language("de").reviewed is found
    unread = ("de",) if found is Reviewed.NONE else ()
    assert languages.unreviewed(["en", "de"]) == unread


# --- the banner in each language ----------------------------------------------------


@pytest.mark.parametrize("code", CODES)
def test_the_banner_asks_in_every_language_without_unwanted_wording(
    everywhere: Site, parisian: Client, code: str
) -> None:
    text = page(parisian, f"/?language={code}")
    direction = "rtl" if code in RIGHT_TO_LEFT else "ltr"
    assert spoken_by(text) == (code, direction)
    accept, reject = label(text, "accept"), label(text, "reject")
    assert accept
    assert reject
    assert accept != reject
    assert unwanted(code, accept, reject) == []
    shown = banner(text)
    assert f'lang="{code}"' in shown
    assert unwanted(code, re.sub(r"<[^>]+>", " ", shown)) == []
    assert "Harbour Bakery Ltd" in shown


@pytest.mark.parametrize("code", [code for code in CODES if code != "en"])
def test_no_language_shows_the_labels_of_the_source(
    everywhere: Site, parisian: Client, code: str
) -> None:
    english, text = page(parisian), page(parisian, f"/?language={code}")
    for answer in ("accept", "reject"):
        assert label(text, answer) != label(english, answer)


@pytest.mark.parametrize("code", CODES)
def test_every_language_says_itself_in_the_api(
    everywhere: Site, parisian: Client, code: str
) -> None:
    assert decision(parisian, f"?language={code}")["language"] == code


USES = [
    ("en", "functional, analytics, marketing"),
    ("de", "Funktionen, Statistik, Marketing"),
    ("tr", "fonksiyonel, analitik, pazarlama"),
    ("ja", "機能、分析、マーケティング"),
]


@pytest.mark.parametrize(("code", "uses"), USES)
def test_the_uses_stand_in_a_sentence_as_their_language_writes_them(
    everywhere: Site, parisian: Client, code: str, uses: str
) -> None:
    assert uses in banner(page(parisian, f"/?language={code}"))


def test_a_sites_own_turkish_title_keeps_its_letters_in_a_sentence(
    site: Site, parisian: Client
) -> None:
    titles = {"functional": "İşlev", "analytics": "Istatistik", "marketing": "Reklam"}
    purposes = {
        name: {"title": {"en": f"Title {name}", "tr": title}}
        for name, title in titles.items()
    }
    speak(site, "en", "tr")
    publish(site, purposes=purposes)
    shown = banner(page(parisian, "/?language=tr"))
    assert "işlev, ıstatistik, reklam" in shown
    assert "title functional, title analytics" in banner(page(parisian))


# --- whole or not at all ------------------------------------------------------------


def publish(site: Site, **changes: Any) -> Any:
    document = {**POLICY, **changes}
    return publication.publish(
        site=site, document=document, at=datetime.now(UTC), by=None
    )


def described_in(*codes: str) -> list[dict[str, Any]]:
    """The demo's services with one description that is there in some languages."""
    first, *rest = POLICY["services"]
    kept = {code: first["description"][code] for code in codes}
    return [{**first, "description": kept}, *rest]


def test_a_language_that_lacks_a_text_of_the_policy_is_not_shown_at_all(
    site: Site, visitor: NewVisitor
) -> None:
    speak(site, "en", "fr")
    publish(site, services=described_in("en", "fr"))
    speak(site, "en", "fr", "de")
    german = visitor("2a02:cfc0::1", **{"accept-language": "de"})
    for address in ("/", "/?language=de", "/cookie-preferences/?language=de"):
        text = page(german, address)
        assert spoken_by(text) == ("en", "ltr")
        assert "Alle ablehnen" not in text
    assert label(page(german), "reject") == "Reject additional cookies"
    assert decision(german)["language"] == "en"
    french = page(german, "/?language=fr")
    assert spoken_by(french) == ("fr", "ltr")


def test_where_no_language_is_whole_the_site_speaks_english(
    site: Site, parisian: Client
) -> None:
    publish(site, services=described_in("en", "fr", "de", "es"))
    speak(site, "it")
    text = page(parisian, "/?language=it")
    assert spoken_by(text) == ("en", "ltr")


def test_a_text_that_is_left_empty_is_none(site: Site) -> None:
    speak(site, "en", "fr")
    services = described_in("en", "fr")
    services[0]["description"] = {"en": "A chat.", "fr": ""}
    with pytest.raises(ValidationError, match="chat: description is missing in: fr"):
        publish(site, services=services)


def test_publishing_refuses_a_translation_that_nobody_reviewed_or_confirmed(
    site: Site, parisian: Client
) -> None:
    speak(site, "en", "fr", "de", confirmed=["fr"])
    with pytest.raises(ValidationError, match="reviewed the translation de"):
        publish(site)
    assert publication.by_slug("default").languages == ("en", "fr")  # type: ignore[union-attr]
    assert spoken_by(page(parisian, "/?language=de")) == ("en", "ltr")
    speak(site, "en", "fr", "de", confirmed=["fr", "de"])
    assert publish(site).version == 2
    assert spoken_by(page(parisian, "/?language=de")) == ("de", "ltr")


def test_publishing_refuses_a_language_that_is_not_translated_whole(
    site: Site,
) -> None:
    speak(site, "en", "xx")
    with pytest.raises(ValidationError, match="xx is not translated whole"):
        publish(site)


def test_the_act_of_publishing_names_the_languages_that_were_confirmed(
    site: Site,
) -> None:
    speak(site, "en", "fr", "de", confirmed=["fr", "de", "ja"])
    publish(site)
    acts = Content.objects.filter(event="policy_published").order_by("entry__time")
    found = [act.canonical for act in acts]
    assert any('"unreviewed_languages":["de","fr"],"version":2' in act for act in found)
    speak(site, "en", confirmed=[])
    publish(site)
    act = acts.exclude(canonical__contains="unreviewed_languages").get()
    assert '"detail":{"version":3}' in act.canonical


# --- which language a page speaks ---------------------------------------------------


def test_a_page_speaks_the_browsers_language_and_says_so(
    parisian: Client, visitor: NewVisitor
) -> None:
    response = parisian.get("/", headers={"accept-language": "it, de-CH;q=0.8"})
    assert response["Content-Language"] == "de"
    assert spoken_by(response.content.decode()) == ("de", "ltr")
    assert "Accept-Language" in response["Vary"]


def test_the_menu_is_stronger_than_the_browser(parisian: Client) -> None:
    for address in ("/", "/cookie-preferences/", "/privacy-choices/", "/sign-in/"):
        response = parisian.get(
            f"{address}?language=es", headers={"accept-language": "de"}
        )
        assert response["Content-Language"] == "es"
        assert spoken_by(response.content.decode()) == ("es", "ltr")


@pytest.mark.parametrize("named", ["xx", "", "it", "EN\0", "../de", "a" * 5000])
def test_an_unknown_language_is_ignored_and_carried_nowhere(
    parisian: Client, named: str
) -> None:
    response = parisian.get("/", {"language": named}, headers={"accept-language": "de"})
    assert response["Content-Language"] == "de"
    links = re.findall(r'(?:href|action)="([^"]*)"', response.content.decode())
    assert not any("&amp;language=" in a or "?language=" in a for a in links)


def test_what_was_picked_goes_along_in_links_and_forms(parisian: Client) -> None:
    text = page(parisian, "/?language=de", **{"accept-language": "fr"})
    links = re.findall(r'href="(/cookie-preferences/[^"]*)"', text)
    assert links
    assert all("language=de" in link for link in links)
    (action,) = re.findall(r'action="(/consent/choice/[^"]*)"', text)
    assert "language=de" in action
    assert 'name="return_to" value="/?language=de"' in text


def test_an_answer_in_a_picked_language_is_recorded_in_it_and_leads_back_to_it(
    parisian: Client,
) -> None:
    text = page(parisian, "/?language=de")
    (action,) = re.findall(r'action="(/consent/choice/[^"]*)"', text)
    response = post_form(
        parisian,
        "reject",
        path=html.unescape(action),
        return_to="/?language=de",
    )
    assert response.status_code == 303
    assert response["Location"].startswith("/?language=de&")
    (record,) = records()
    assert record["notice"]["language"] == "de"
    kept = Notice.objects.get(hash=record["notice"]["hash"])
    assert kept.document["reject"] == "Alle ablehnen"
    assert spoken_by(page(parisian, response["Location"])) == ("de", "ltr")


def test_the_centre_hands_the_picked_language_on_to_itself(parisian: Client) -> None:
    text = page(parisian, "/cookie-preferences/?language=de&return_to=/x")
    assert '<option value="de" lang="de" selected>Deutsch</option>' in text
    actions = re.findall(r'action="(/consent/choice/[^"]*)"', text)
    assert actions
    assert all("language=de" in action for action in actions)
    assert '<input type="hidden" name="language" value="de">' in text
    (here,) = set(re.findall(r'name="return_to" value="(/cookie-pref[^"]*)"', text))
    assert "language=de" in here
    assert "return_to=%2Fx" in here


def test_a_site_of_one_language_has_no_menu(site: Site, parisian: Client) -> None:
    speak(site, "en")
    assert '<select id="language"' not in page(parisian, "/cookie-preferences/")


def test_nobody_without_an_account_is_remembered_by_a_language(
    parisian: Client,
) -> None:
    response = parisian.get("/?language=de", headers={"accept-language": "fr"})
    assert not response.cookies
    assert spoken_by(page(parisian, **{"accept-language": "fr"})) == ("fr", "ltr")


def test_somebody_signed_in_keeps_the_language_they_picked(
    parisian: Client, ada: Any
) -> None:
    sign_in(parisian, ada)
    assert spoken_by(page(parisian, **{"accept-language": "fr"})) == ("fr", "ltr")
    page(parisian, "/?language=de")
    assert spoken_by(page(parisian, **{"accept-language": "fr"})) == ("de", "ltr")
    page(parisian, "/?language=xx")
    assert spoken_by(page(parisian, **{"accept-language": "fr"})) == ("de", "ltr")
    page(parisian, "/?language=es")
    assert spoken_by(page(parisian, **{"accept-language": "fr"})) == ("es", "ltr")


def test_a_script_that_names_its_pages_language_picks_nothing(
    parisian: Client, ada: Any
) -> None:
    sign_in(parisian, ada)
    assert decision(parisian, "?language=de")["language"] == "de"
    assert spoken_by(page(parisian, **{"accept-language": "fr"})) == ("fr", "ltr")


@pytest.mark.parametrize("address", WORDLESS)
def test_what_has_no_words_speaks_no_language(
    site: Site, parisian: Client, address: str
) -> None:
    write(site, 256)
    ledger.seal(site=site)
    german = parisian.get(address, headers={"accept-language": "de"})
    french = parisian.get(f"{address}?language=fr")
    for response in (german, french):
        assert response.status_code == 200
        assert "Content-Language" not in response
        assert "accept-language" not in response.get("Vary", "").lower()
    assert _bytes(german) == _bytes(french)


def _bytes(response: Any) -> bytes:
    found: bytes = response.getvalue() if response.streaming else response.content
    return found


def test_a_page_about_what_is_not_there_has_words_and_says_which(
    parisian: Client,
) -> None:
    address = "/log/default/checkpoint"
    pages = {}
    for code in ("de", "fr"):
        response = parisian.get(address, headers={"accept-language": code})
        assert response.status_code == 404
        assert response["Content-Language"] == code
        assert "Accept-Language" in response["Vary"]
        pages[code] = response.content
    assert pages["de"] != pages["fr"]


def test_a_page_about_a_wrong_form_is_in_the_picked_language(
    parisian: Client,
) -> None:
    response = parisian.post(
        "/consent/choice/?language=de", {"answer": "perhaps"}, headers=OWN_PAGE
    )
    assert response.status_code == 400
    assert response["Content-Language"] == "de"
    assert spoken_by(response.content.decode()) == ("de", "ltr")


def test_a_title_of_the_site_stands_for_ours_in_its_language(site: Site) -> None:
    purposes = {
        "functional": {"title": {"en": "Comfort", "fr": "Confort"}},
        "analytics": {},
        "marketing": {},
    }
    speak(site, "en", "fr")
    publish(site, purposes=purposes)
    here = publication.by_slug("default")
    assert here
    titles = [words.title(here, "fr", purpose) for purpose in OPTIONAL]
    assert titles[0] == "Confort"
