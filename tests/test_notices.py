"""The notice as shown: what is kept of it, and that it opens as it looked."""

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as loaded
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from consent import notices
from consent.core.canonical import canonical_hash
from consent.models import Asset, Notice, Site
from tests.conftest import NewVisitor
from tests.test_publication import publish_now, with_service
from tests.visits import (
    ALL,
    NONE,
    OWN_PAGE,
    SETTINGS,
    choose,
    cookie,
    post_form,
    records,
    sign_in,
)

PARIS, CALIFORNIA = "2a02:cfc0::1", "214.78.120.1"
MEXICAN = {"CF-IPCountry": "MX"}
CENTRE = "/cookie-preferences/"
PAGES = {
    "banner": "/",
    "preferences": CENTRE,
    "settings": SETTINGS,
    "opt_out": "/privacy-choices/",
}
SURFACES = pytest.mark.parametrize("surface", PAGES)
SHEET = Path("consent/static/consent/pages.css")
SCRIPT = Path("consent/static/consent/consent.min.js")
SHEETS = (Path("consent/static/consent/consent.min.css"), SHEET)


def answer(browser: Client, surface: str, *, how: str = "reject") -> Notice:
    """Answer on a surface; the notice that the record points at."""
    path = PAGES[surface]
    if surface == "opt_out":
        assert browser.post(path, headers=OWN_PAGE).status_code == 303
    elif surface == "settings":
        post_form(browser, how, path=SETTINGS, surface="preferences")
    else:
        post_form(browser, how, surface=surface)
    return Notice.objects.get(hash=records()[-1]["notice"]["hash"])


def within(text: str) -> str:
    """Some markup without what is made for one visitor, and without empty lines."""
    text = re.sub(r'<input type="hidden"[^>]*>', "", text)
    text = re.sub(r' method="post" action="[^"]*"', "", text)
    text = re.sub(r'(href="/[^"?]*)\?[^"]*', r"\1", text)
    return re.sub(r"\s*\n\s*", "\n", text)


def shown(notice: Notice) -> str:
    """The part of a kept notice that stands in the live page too."""
    html = notice.document["html"]
    first = re.search(r"<section|<div lang", html)
    end = "</section>" if notice.document["surface"] == "banner" else "</div>\n"
    return within(html[first.start() : html.rindex(end) + len(end)])


def live(browser: Client, surface: str, **query: str) -> str:
    return within(browser.get(PAGES[surface], query).content.decode())


# --- what is kept is what is shown ---------------------------------------------------


@SURFACES
@pytest.mark.parametrize(
    ("address", "headers"),
    [
        (PARIS, {}),
        (PARIS, {"accept-language": "fr"}),
        (PARIS, {"sec-gpc": "1"}),
        (CALIFORNIA, {}),
        (CALIFORNIA, {"sec-gpc": "1", "accept-language": "es"}),
        (CALIFORNIA, MEXICAN),
        ("65.0.0.1", {"accept-language": "de", "dnt": "1"}),
    ],
)
def test_the_kept_markup_is_what_the_live_page_shows(
    visitor: NewVisitor, ada: Any, surface: str, address: str, headers: dict[str, str]
) -> None:
    browser = visitor(address, **headers)
    if surface == "settings":
        # A signal that came with the sign-in would already have answered.
        sign_in(visitor(address), ada)
        browser.force_login(ada)
    page = live(browser, surface, return_to="/a/page")
    notice = answer(browser, surface)
    if surface == "banner" and '<section class="consent"' not in page:
        assert notice.document["kind"] == "ask"  # nobody was asked, who answers anyway
        return
    assert shown(notice) in page
    assert notice.document["surface"] == surface


def test_a_bar_that_only_tells_is_a_notice_of_its_own(visitor: NewVisitor) -> None:
    browser = visitor(CALIFORNIA, **MEXICAN)
    page = live(browser, "banner")
    assert 'class="consent slim"' in page
    asked = answer(browser, "banner")
    assert "<form>" in asked.document["html"]
    assert shown(asked) not in page


def test_a_service_that_runs_by_exemption_is_kept_as_told(
    site: Site, visitor: NewVisitor
) -> None:
    claim = {"exemption": "own_statistics", "exemption_conditions": "For us alone."}
    publish_now(site, services=with_service(purpose="analytics", **claim))
    browser = visitor(PARIS)
    page = live(browser, "preferences")
    notice = answer(browser, "preferences")
    assert notice.document["exempt"] == ["new"]
    assert "runs already" in shown(notice)
    assert shown(notice) in page


def test_where_the_visitors_language_is_not_published_all_of_it_is_in_one_that_is(
    site: Site, visitor: NewVisitor
) -> None:
    Site.objects.update(languages=["de"])
    for surface in ("banner", "preferences", "opt_out"):
        browser = visitor(PARIS, **{"accept-language": "fr"})
        page = live(browser, surface)
        notice = answer(browser, surface)
        assert notice.document["language"] == "de"
        assert shown(notice) in page


@SURFACES
def test_nothing_of_the_visitor_is_kept_with_the_notice(
    visitor: NewVisitor, ada: Any, surface: str
) -> None:
    browser = visitor(PARIS)
    if surface == "settings":
        sign_in(browser, ada)
    choose(browser, ALL)
    page = browser.get(PAGES[surface], {"return_to": "/a/page"}).content.decode()
    text = json.dumps(answer(browser, surface).document)
    secrets = re.findall(r'(?:token|nonce)" (?:value=")?([^"]{10,})', page)
    known = [cookie(browser), cookie(browser, "consent_id"), "/a/page", "ada"]
    for value in [*secrets, *filter(None, known), *(r["id"] for r in records())]:
        assert value not in text
    for word in ("csrfmiddleware", "hidden", "return_to", "action=", "checked"):
        assert word not in text


@SURFACES
def test_an_earlier_answer_and_a_history_do_not_change_the_notice(
    visitor: NewVisitor, ada: Any, bob: Any, surface: str
) -> None:
    newcomer, regular = visitor(PARIS), visitor(PARIS)
    if surface == "settings":
        sign_in(newcomer, ada)
        sign_in(regular, bob)
    first = answer(newcomer, surface)
    choose(regular, ALL)
    choose(regular, {"analytics": True})
    assert answer(regular, surface).hash == first.hash


# --- one hash for the same words, looks and surface ----------------------------------


@SURFACES
def test_a_notice_made_anew_has_the_same_hash(
    visitor: NewVisitor, ada: Any, surface: str
) -> None:
    made = []
    for _ in range(2):
        notices.forget()
        browser = visitor(PARIS)
        if surface == "settings":
            sign_in(browser, ada)
        made.append(answer(browser, surface))
    assert made[0].hash == made[1].hash
    assert made[0].hash == canonical_hash(made[0].document)
    assert Notice.objects.filter(document__surface=surface).count() == 1


def test_surfaces_languages_places_signals_and_policies_have_hashes_of_their_own(
    site: Site, visitor: NewVisitor
) -> None:
    found = {answer(visitor(PARIS), s).hash for s in ("banner", "preferences")}
    found.add(answer(visitor(PARIS, **{"accept-language": "fr"}), "banner").hash)
    found.add(answer(visitor(PARIS, gpc=True), "banner").hash)
    found.add(answer(visitor(CALIFORNIA), "preferences").hash)
    found |= {answer(visitor(place), "opt_out").hash for place in (PARIS, CALIFORNIA)}
    publish_now(site, purposes={"analytics": {}, "marketing": {}}, services=[])
    found.add(answer(visitor(PARIS), "banner").hash)
    assert len(found) == 8


def test_places_with_the_same_words_share_a_notice(visitor: NewVisitor) -> None:
    hidden, parisian = visitor("65.0.0.1"), visitor(PARIS)
    for surface in ("banner", "preferences", "opt_out"):
        assert answer(hidden, surface).hash == answer(parisian, surface).hash


@pytest.fixture
def own_sheet(tmp_path: Path, settings: Settings) -> Path:
    """A style sheet of the operator's own in the place of ours, with a picture."""
    folder = tmp_path / "own" / "consent"
    (folder / "pictures").mkdir(parents=True)
    (folder / "pictures" / "dots.svg").write_text("<svg xmlns='x'/>")
    (folder / "face.woff2").write_bytes(b"wOF2 a font")
    sheet = folder / "consent.min.css"
    sheet.write_text(
        SHEET.read_text()
        + ".consent { background: url('pictures/dots.svg#a') }\n"
        + "@font-face { font-family: Own; src: url(face.woff2) }\n"
        + "h1 { background: url(https://elsewhere.example/x.png) }\n"
        + 'h2::before { content: "</style>" }\n'
    )
    settings.STATICFILES_DIRS = [folder.parent]
    notices.forget()
    return sheet


def test_another_style_sheet_is_another_notice(
    visitor: NewVisitor, own_sheet: Path
) -> None:
    first = answer(visitor(PARIS), "banner")
    own_sheet.write_text(own_sheet.read_text() + "h1 { color: red }\n")
    later = own_sheet.stat().st_mtime_ns + 1_000_000_000
    os.utime(own_sheet, ns=(later, later))
    second = answer(visitor(PARIS), "banner")
    assert first.document["html"] == second.document["html"]
    assert first.document["styles"] != second.document["styles"]
    assert first.hash != second.hash
    assert len(notices.assets_of(first.document)) == 5
    assert Asset.objects.count() == 6


# --- the looks are kept --------------------------------------------------------------


@SURFACES
def test_what_dresses_a_notice_is_kept_once_by_the_hash_of_its_bytes(
    visitor: NewVisitor, ada: Any, surface: str
) -> None:
    for _ in range(2):
        browser = visitor(PARIS)
        if surface == "settings":
            sign_in(browser, ada)
        notice = answer(browser, surface)
    kept = notices.assets_of(notice.document)
    for asset in kept:
        digest = hashlib.sha256(bytes(asset.body)).hexdigest()
        assert asset.hash == f"sha256:{digest}"
    by_hash = {asset.hash: asset for asset in kept}
    sheets = [by_hash[name] for name in notice.document["styles"]]
    assert {sheet.media_type for sheet in sheets} == {"text/css"}
    assert [bytes(s.body) for s in sheets] == [path.read_bytes() for path in SHEETS]
    (script,) = [by_hash[name] for name in notice.document["scripts"]]
    assert script.media_type == "text/javascript"
    assert bytes(script.body) == SCRIPT.read_bytes()
    pictures = {a.media_type for a in kept} - {"text/css", "text/javascript"}
    assert pictures == ({"image/svg+xml"} if surface == "opt_out" else set())
    assert Asset.objects.count() == len(kept)


def test_where_files_are_collected_the_bytes_that_were_served_are_kept(
    own_sheet: Path, visitor: NewVisitor, tmp_path: Path, settings: Settings
) -> None:
    settings.STATIC_ROOT = tmp_path / "collected"
    storage = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    settings.STORAGES = {**loaded.STORAGES, "staticfiles": {"BACKEND": storage}}
    call_command("collectstatic", interactive=False, verbosity=0)
    notices.forget()
    browser = visitor(CALIFORNIA)
    page = browser.get(PAGES["opt_out"]).content.decode()
    notice = answer(browser, "opt_out")
    held = {
        asset.hash: bytes(asset.body) for asset in notices.assets_of(notice.document)
    }
    linked = re.findall(r'rel="stylesheet" href="/static/([^"]+)"', page)
    (picture,) = re.findall(r'<img src="/static/([^"]+opt-out[^"]+)" alt="" w', page)[
        :1
    ]
    assert not {"consent/consent.min.css", "consent/pages.css"} & set(linked)
    served = [(settings.STATIC_ROOT / name).read_bytes() for name in linked]
    assert [held[name] for name in notice.document["styles"]] == served
    drawn = (settings.STATIC_ROOT / picture).read_bytes()
    assert held[notice.document["files"][f"/static/{picture}"]] == drawn
    assert {b"<svg xmlns='x'/>", b"wOF2 a font"} <= set(held.values())
    assert browser.get(PAGES["opt_out"]).status_code == 200


# --- every record points at what was shown -------------------------------------------


def test_an_opt_out_points_at_its_page_and_a_signal_at_nothing(
    visitor: NewVisitor, ada: Any
) -> None:
    assert answer(visitor(PARIS), "opt_out").document["surface"] == "opt_out"
    signed = visitor(CALIFORNIA, gpc=True)
    sign_in(signed, ada)
    record = records()[-1]
    assert (record["event"], record["surface"]) == ("opted_out", "signal")
    assert record["notice"]["hash"] is None


def test_only_what_was_asked_again_is_in_the_notice_of_that_banner(
    second_policy: Site, visitor: NewVisitor
) -> None:
    browser = visitor(PARIS)
    agreed = {"analytics": True, "functional": True}
    choose(browser, agreed, policy_version=2)
    publish_now(
        second_policy,
        services=with_service(purpose="analytics", slug="more", provider="More Inc."),
    )
    page = live(browser, "banner")
    notice = answer(browser, "banner", how="accept")
    assert [p["purpose"] for p in notice.document["purposes"]] == ["analytics"]
    assert shown(notice) in page


# --- the stand-alone file ------------------------------------------------------------


def opened(notice: Notice) -> str:
    return notices.standalone(notice.document, notices.assets_of(notice.document))


@SURFACES
def test_the_file_needs_nothing_from_anywhere(
    visitor: NewVisitor, ada: Any, surface: str
) -> None:
    browser = visitor(PARIS, **{"accept-language": "fr"})
    if surface == "settings":
        sign_in(browser, ada)
    notice = answer(browser, surface)
    text = opened(notice)
    assert text.startswith('<!doctype html>\n<html lang="fr" dir="ltr">')
    assert SHEET.read_text().splitlines()[2] in text
    for name in ("src", "href", "action", "srcset", "formaction"):
        for address in re.findall(rf'\s{name}="([^"]*)"', text):
            assert address.startswith(("data:image/", "#"))
    assert "url(" not in text
    assert "<script" not in text
    assert "<link" not in text
    buttons = re.findall(r"<button[^>]*>", text)
    assert buttons
    assert all('type="button"' in button for button in buttons)
    assert "<title>Cookies sur Harbour Bakery</title>" in text


def test_the_file_names_hash_language_and_policy(parisian: Client) -> None:
    notice = answer(parisian, "banner")
    caption = opened(notice).partition('<footer id="kept"')[2]
    for said in (notice.hash, notice.document["policy"]["hash"], "policy version 1"):
        assert said in caption
    assert "language en" in caption
    assert "Not kept" not in caption


def test_a_style_sheet_stands_in_the_file_with_its_pictures_and_cannot_end_early(
    visitor: NewVisitor, own_sheet: Path
) -> None:
    text = opened(answer(visitor(PARIS), "banner"))
    assert 'url("data:image/svg+xml;base64,' in text
    assert 'url("data:font/woff2;base64,' in text
    assert "elsewhere.example" not in text
    assert text.count("</style>") == 2
    assert r'content: "<\/style>"' in text


def test_printed_the_file_shows_what_the_live_page_leaves_off_paper(
    parisian: Client,
) -> None:
    assert all("@media print" in sheet.read_text() for sheet in SHEETS)
    assert "@media print" not in opened(answer(parisian, "banner"))


def test_what_is_missing_of_the_looks_is_said(parisian: Client) -> None:
    notice = answer(parisian, "banner")
    text = notices.standalone(notice.document, [])
    assert f"Not kept: {notice.document['styles'][0]}" in text
    assert "Accept additional cookies" in text


def test_a_right_to_left_notice_opens_right_to_left(parisian: Client) -> None:
    document = {**answer(parisian, "banner").document, "language": "ar"}
    assert '<html lang="ar" dir="rtl">' in notices.standalone(document, [])


def test_markup_that_acts_is_stilled(parisian: Client) -> None:
    acting = (
        '<section><a href="https://evil.example/">go</a><meta http-equiv="refresh">'
        '<img src="https://evil.example/x.png" onerror="act()" alt="a &amp; b"/>'
        '<form action="https://evil.example/"><button type="submit" name="a">Send'
        '</button></form><script src="//evil.example/x.js"></script>&eacute;&#233;'
        "</section>"
    )
    document = {**answer(parisian, "banner").document, "html": acting}
    text = notices.standalone(document, []).partition("<body>")[2].partition("<footer")
    assert text[0].strip() == (
        '<section><a href="#kept" title="https://evil.example/">go</a>'
        '<img alt="a &amp; b"/><form><button name="a" type="button">Send'
        "</button></form>&eacute;&#233;</section>"
    )


@pytest.mark.parametrize(
    "markup",
    [
        '<script>"<img src=https://evil.example/x onerror=act()>"</script>',
        "<p>so<img src=https://evil.example/x onerror=act()",
        '<textarea></textarea><script>"</script ><img src=x onerror=act()>',
    ],
)
def test_what_looks_like_text_does_not_become_a_tag(
    parisian: Client, markup: str
) -> None:
    document = {**answer(parisian, "banner").document, "html": markup}
    text = notices.standalone(document, []).partition("<body>")[2].partition("<footer")
    assert "<script" not in text[0]
    assert not re.search(r"<[^>]*onerror", text[0])


def test_words_of_the_first_format_are_shown_plainly() -> None:
    first = {
        "format": 1,
        "site": "Harbour <b>Bakery</b>",
        "controller": "Harbour Bakery Ltd",
        "privacy_policy_url": "https://bakery.example/privacy",
        "policy": {"version": 3, "hash": "sha256:00"},
        "language": "en",
        "heading": "Cookies on Harbour <b>Bakery</b>",
        "essential": "Essential cookies make this site work.",
        "wish": "Harbour Bakery Ltd would like to add others: analytics.",
        "tell": "Harbour Bakery Ltd uses cookies for: analytics.",
        "accept": "Accept additional cookies",
        "reject": "Reject additional cookies",
        "choose": "Choose which cookies",
        "signal": None,
        "purposes": [
            {
                "purpose": "analytics",
                "title": "Analytics",
                "description": "Tell us how the site is used.",
                "question": "Do you want to allow analytics cookies?",
                "services": [
                    {
                        "service": "statistics",
                        "name": "Own statistics",
                        "provider": "Harbour Bakery Ltd",
                        "description": "Counts visits.",
                        "exemption": None,
                        "cookies": [
                            {"name": "crumbs", "lifetime": "9 days", "description": ""}
                        ],
                    }
                ],
            }
        ],
    }
    text = notices.standalone(first, [])
    assert "<b>" not in text
    for said in ("would like to add others", "allow analytics", "crumbs · 9 days"):
        assert said in text
    assert canonical_hash(first) in text
    assert "its looks were not kept then" in text


def test_a_notice_costs_no_query_and_keeping_it_again_none_either(
    db: None,
    site: Site,
    visitor: NewVisitor,
    django_assert_num_queries: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        notice = answer(visitor(PARIS), "banner")
    with django_assert_num_queries(0):
        visitor(PARIS).get(reverse("consent:home"))
        notices.keep(notice.hash, notice.document)
    assert choose(visitor(PARIS), NONE, surface="banner")["receipt"]["record"][
        "notice"
    ] == {"hash": notice.hash, "language": "en"}
