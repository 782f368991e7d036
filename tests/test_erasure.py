"""Erasing one's records: nothing names the person, everything is refused, and it stays.

Whoever holds a number is told that its record was erased; the log still proves that a
record with that hash was there.
"""

import json
import uuid
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from consent import ledger, publication
from consent.audit import erasure, removal
from consent.core.cookie import decode, encode
from consent.core.merkle import root
from consent.core.preferences import Choice
from consent.management.demo_site import POLICY
from consent.models import (
    Content,
    Entry,
    Link,
    Preference,
    Removal,
    Restricted,
    Site,
)
from consent.models.site import Erasure
from tests.conftest import NewVisitor
from tests.visits import (
    ALL,
    NONE,
    OWN_PAGE,
    SETTINGS,
    body,
    choose,
    cookie,
    decision,
    post_form,
    records,
    rows,
    send,
    sign_in,
    sign_out,
)

PARIS, CALIFORNIA = "2a02:cfc0::1", "214.78.120.1"
ERASE = "/cookie-preferences/erase/"
ERASE_ACCOUNT = "/settings/user/cookie-preferences/erase/"
API = "/api/v1/visitor"


def erase(browser: Client, path: str = ERASE, **fields: str) -> Any:
    """The form of the preference centre, with its box ticked."""
    return browser.post(path, {"sure": "yes", **fields}, headers=OWN_PAGE)


def erased_by_api(browser: Client, query: str = "", **headers: str) -> dict[str, Any]:
    response = browser.delete(API + query, headers={**OWN_PAGE, **headers})
    assert response.status_code == 200, response.content
    return response.json()


def acts(event: str = "erased") -> list[dict[str, Any]]:
    found = Content.objects.filter(kind="act", event=event).order_by("time")
    return [json.loads(content.canonical) for content in found]


def history(browser: Client) -> list[dict[str, Any]]:
    return browser.get("/api/v1/history").json()["records"]


@pytest.fixture
def at_once(site: Site) -> Site:
    site.erasure = Erasure.AT_ONCE
    site.save()
    publication.forget()
    return site


# --- what is left of a person --------------------------------------------------------


def test_an_erasure_ends_with_everything_refused_in_a_cookie_without_id(
    parisian: Client,
) -> None:
    choose(parisian, ALL)
    assert cookie(parisian, "consent_id")
    response = erase(parisian)
    assert response.status_code == 303
    assert cookie(parisian, "consent_id") is None
    assert decision(parisian)["choice"]["purposes"] == NONE
    assert set(decision(parisian)["purposes"].values()) == {True, False}
    assert decision(parisian)["banner"] == "none"


def test_the_tie_to_a_person_is_locked_away_until_retention_ends(
    parisian: Client,
) -> None:
    receipt = choose(parisian, ALL)["receipt"]
    erase(parisian)
    assert not Link.objects.exists()
    kept = Restricted.objects.get()
    assert kept.entry_id.hex == receipt["id"]
    assert kept.visitor == receipt["opening"]["visitor"]
    assert Removal.objects.get().time == kept.restricted_at


def test_a_site_may_forget_the_tie_at_once(at_once: Site, parisian: Client) -> None:
    choose(parisian, ALL)
    erase(parisian)
    assert not Link.objects.exists()
    assert not Restricted.objects.exists()
    assert acts()[0]["detail"]["mode"] == "at_once"


@pytest.mark.usefixtures("at_once")
def test_nothing_that_is_left_holds_the_visitor_or_opens_a_pseudonym(
    parisian: Client,
) -> None:
    opening = choose(parisian, ALL)["receipt"]["opening"]
    erase(parisian)
    left = [json.dumps(list(m.objects.values()), default=str) for m in (Link, Content)]
    assert not any(word in text for text in left for word in opening.values())


def test_the_records_and_their_hashes_stay(parisian: Client) -> None:
    receipt = choose(parisian, ALL)["receipt"]
    erase(parisian)
    entry = Entry.objects.get(pk=receipt["id"])
    assert bytes(entry.leaf_hash).hex() == receipt["leaf_hash"]
    assert Content.objects.get(pk=entry.pk).canonical == receipt["canonical"]


def test_one_record_that_is_linked_to_nobody_says_what_was_done(
    parisian: Client,
) -> None:
    choose(parisian, ALL)
    document = erased_by_api(parisian)
    record = records()[-1]
    assert document["receipt"]["record"] == record
    assert (record["event"], record["purposes"]) == ("erased", NONE)
    assert record["visitor"] is record["valid_until"] is None
    assert record["notice"] == {"hash": None, "language": "en"}
    assert "opening" not in document["receipt"]
    assert [r["event"] for r in records()] == ["granted", "erased"]


def test_one_act_commits_to_what_was_erased_and_names_nobody(
    parisian: Client,
) -> None:
    first, second = (choose(parisian, ALL)["receipt"] for _ in range(2))
    erase(parisian)
    (act,) = acts()
    hashes = sorted(bytes.fromhex(r["leaf_hash"]) for r in (first, second))
    assert act["subject"] is None
    assert act["detail"] == {
        "entries": 2,
        "mode": "restrict",
        "root": root(hashes).hex(),
    }
    named = Removal.objects.values_list("entry__pk", "act__pk", "reason")
    assert {(entry.hex, by.hex, reason) for entry, by, reason in named} == {
        (receipt["id"], act["id"], "erasure") for receipt in (first, second)
    }


def test_erased_records_are_in_no_list(parisian: Client, ada: Any) -> None:
    sign_in(parisian, ada)
    number = choose(parisian, ALL)["receipt"]["id"]
    erase(parisian, ERASE_ACCOUNT)
    assert history(parisian) == []
    assert number not in parisian.get(SETTINGS).content.decode()
    file = parisian.get("/settings/user/cookie-preferences/history.json")
    assert file.json() == {"records": []}


def test_the_number_of_an_erased_record_says_only_that_it_was(
    parisian: Client,
) -> None:
    before = choose(parisian, ALL)["receipt"]
    ledger.seal(site=Site.objects.get())
    erase(parisian)
    after = parisian.get(f"/api/v1/receipts/{before['id']}").json()
    assert after["record"] is after["canonical"] is None
    assert after["gone"] == "erased"
    assert after["leaf_hash"] == before["leaf_hash"]
    assert after["signature"] == before["signature"]


# --- whose records -------------------------------------------------------------------


def test_an_account_is_erased_on_every_device_with_this_browsers_own(
    visitor: NewVisitor, ada: Any
) -> None:
    one, two = visitor(PARIS), visitor(PARIS)
    choose(one, ALL)  # before anybody signed in
    sign_in(one, ada)
    sign_in(two, ada)
    choose(two, {"analytics": True})
    assert Link.objects.filter(user="").count() == 1
    held = Link.objects.count()
    assert erased_by_api(one)["erased"] == held == 3
    assert not Link.objects.exists()
    assert decision(two)["choice"]["purposes"] == NONE


@pytest.mark.parametrize("batch", [1, 4096])
def test_an_account_takes_along_what_its_browsers_gave_before_it_signed_in(
    visitor: NewVisitor, ada: Any, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(removal, "LARGEST", batch)
    browser, other = visitor(PARIS), visitor(PARIS)
    number = choose(browser, ALL)["receipt"]["id"]
    sign_in(browser, ada)
    assert Link.objects.count() == 2
    sign_out(browser)  # and with it goes the browser's identifier
    sign_in(other, ada)
    assert erased_by_api(other)["erased"] == 2
    assert not Link.objects.exists()
    assert other.get(f"/api/v1/receipts/{number}").json()["gone"] == "erased"


def test_other_peoples_records_stay(visitor: NewVisitor, ada: Any, bob: Any) -> None:
    mine, theirs, nobodys = (visitor(PARIS) for _ in range(3))
    sign_in(mine, ada)
    choose(mine, ALL)
    sign_in(theirs, bob)
    choose(theirs, ALL)
    choose(nobodys, ALL)
    erase(mine, ERASE_ACCOUNT)
    assert {link.user for link in Link.objects.all()} == {str(bob.pk), ""}
    assert decision(theirs)["purposes"]["marketing"] is True
    assert len(history(theirs)) == len(history(nobodys)) == 1


def test_a_browser_that_an_account_used_erases_nothing_of_the_account(
    parisian: Client, ada: Any
) -> None:
    sign_in(parisian, ada)
    choose(parisian, ALL)
    del parisian.cookies["consent_session"]  # it ended without anybody signing out
    assert erased_by_api(parisian)["erased"] == 0
    assert Link.objects.get().user == str(ada.pk)
    row = Preference.objects.get(user=ada)
    assert all(a.granted for a in decode(row.state).answers.values())


def test_a_site_erases_only_its_own(parisian: Client, site: Site) -> None:
    second = Site.objects.create(
        **{f.attname: getattr(site, f.attname) for f in Site._meta.fields}
        | {"id": None, "slug": "second", "hosts": ["second.example"]}
    )
    publication.publish(site=second, document=POLICY, at=site_time(), by=None)
    choose(parisian, ALL)
    consent = erasure.unattended(publication.by_slug("second"))
    link = Link.objects.get()
    found = erasure.links_of(
        consent.published.site, erasure.Person(visitor=link.visitor)
    )
    assert not found.exists()


def site_time() -> Any:
    return Content.objects.latest("time").time


# --- nothing turns on again ----------------------------------------------------------


def test_an_account_keeps_the_refusal_of_everything(
    visitor: NewVisitor, ada: Any
) -> None:
    browser = visitor(CALIFORNIA)
    sign_in(browser, ada)
    choose(browser, ALL)
    erased_by_api(browser)
    row = Preference.objects.get(user=ada)
    answers = decode(row.state).answers
    assert {str(p): a.granted for p, a in answers.items()} == NONE
    assert row.receipt == "erased"
    sign_out(browser)
    other = visitor(CALIFORNIA)
    choose(other, ALL)
    sign_in(other, ada)
    assert decision(other)["choice"]["purposes"] == NONE


@pytest.mark.usefixtures("at_once")
def test_nothing_ties_an_account_to_what_was_erased(
    visitor: NewVisitor, ada: Any
) -> None:
    browser, other = visitor(PARIS), visitor(CALIFORNIA)
    sign_in(browser, ada)
    choose(browser, ALL)
    # The erased records and the refusal have one time, so that one must not be named.
    number = erased_by_api(browser)["receipt"]["id"]
    assert Removal.objects.get().time == Content.objects.get(pk=number).time
    assert decision(browser)["choice"]["receipt"] is None
    sign_in(other, ada)
    choose(other, {"analytics": True})
    tied = [list(m.objects.values()) for m in (Preference, Link, Restricted)]
    assert number not in json.dumps(tied, default=str)
    newest = records()[-1]["id"]
    assert decision(other)["choice"]["receipt"] == newest


def test_a_sign_in_after_an_erasure_names_no_record_that_it_came_from(
    visitor: NewVisitor, ada: Any
) -> None:
    browser, other = visitor(CALIFORNIA), visitor(CALIFORNIA)
    sign_in(browser, ada)
    choose(browser, ALL)
    erased_by_api(browser)
    Preference.objects.update(state=encode(Choice()))  # so that a merge finds something
    choose(other, NONE)
    sign_in(other, ada)
    assert records()[-1]["event"] == "merged"
    assert Link.objects.get().sources == []


def test_what_the_policy_takes_up_again_later_stays_refused(
    site: Site, visitor: NewVisitor
) -> None:
    browser = visitor(CALIFORNIA)
    choose(browser, NONE)
    few = {
        **POLICY,
        "purposes": {"analytics": POLICY["purposes"]["analytics"]},
        "services": [s for s in POLICY["services"] if s["purpose"] == "analytics"],
    }
    publication.publish(site=site, document=few, at=site_time(), by=None)
    choose(browser, {"analytics": True}, policy_version=2)
    erase(browser)
    publication.publish(site=site, document=POLICY, at=site_time(), by=None)
    running = decision(browser)["purposes"]
    assert [p for p, on in running.items() if on] == ["necessary"]


def test_a_service_that_was_refused_alone_stays_refused(parisian: Client) -> None:
    choose(parisian, ALL, services={"video": False})
    erase(parisian)
    yes = {f"purpose-{purpose}": "yes" for purpose in ALL}
    post_form(parisian, "save", surface="preferences", **yes)
    assert decision(parisian)["services"] == {"video": False}


def test_somebody_who_never_answered_may_refuse_everything_this_way(
    visitor: NewVisitor,
) -> None:
    browser = visitor(CALIFORNIA)
    assert decision(browser)["purposes"]["marketing"] is True
    document = erased_by_api(browser)
    assert document["erased"] == 0
    assert document["receipt"]["record"]["event"] == "erased"
    assert decision(browser)["purposes"]["marketing"] is False
    assert acts() == []


def test_erasing_again_changes_nothing(parisian: Client, ada: Any) -> None:
    sign_in(parisian, ada)
    choose(parisian, ALL)
    erase(parisian, ERASE_ACCOUNT)
    before, held = rows(), decision(parisian)
    document = erased_by_api(parisian)
    assert (document["erased"], document["receipt"]) == (0, None)
    assert document["decision"] == held
    assert rows() == before


def test_a_choice_after_an_erasure_is_a_new_one(parisian: Client) -> None:
    first = choose(parisian, ALL)["receipt"]["opening"]["visitor"]
    erase(parisian)
    second = choose(parisian, {"analytics": True})["receipt"]["opening"]["visitor"]
    assert first != second
    assert len(history(parisian)) == 1
    assert decision(parisian)["purposes"]["marketing"] is False


def test_many_records_are_erased_by_several_acts(
    parisian: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "LARGEST", 2)
    for _ in range(5):
        choose(parisian, ALL)
    assert erased_by_api(parisian)["erased"] == 5
    assert sorted(act["detail"]["entries"] for act in acts()) == [1, 2, 2]


def test_what_a_browser_records_meanwhile_is_erased_as_well(
    parisian: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(parisian, ALL)
    other_tab = Client(headers={"x-forwarded-for": PARIS})
    other_tab.cookies["consent_id"] = cookie(parisian, "consent_id")
    refuse = erasure.refuse

    def slowly(*arguments: Any) -> Any:
        choose(other_tab, ALL)
        return refuse(*arguments)

    monkeypatch.setattr(erasure, "refuse", slowly)
    assert erased_by_api(parisian)["erased"] == 2
    assert not Link.objects.exists()


# --- before anything was published ---------------------------------------------------


@pytest.mark.parametrize("ask", ["form", "settings", "api", "command"])
def test_nothing_is_erased_where_nothing_was_published(
    site: Site, ada: Any, settings: Any, ask: str
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    fields = {f.attname: getattr(site, f.attname) for f in Site._meta.fields}
    new = {"id": None, "slug": "new", "hosts": ["new.example"]}
    made = Site.objects.create(**{**fields, **new})
    publication.forget()
    # As an import may have left it: a choice that does not refuse everything.
    Preference.objects.create(
        site=made, user=ada, state=encode(Choice()), receipt="0" * 32
    )
    browser = Client(headers={"host": "new.example"})
    browser.force_login(ada)
    before = rows()
    if ask == "command":
        told = StringIO()
        words = ("--user", "ada", "--site", "new", "--yes")
        call_command("erase_visitor", *words, stdout=told)
        assert "nothing to erase" in told.getvalue()
    elif ask == "api":
        response = browser.delete(API, headers=OWN_PAGE)
        assert response.status_code == 409
        assert response.json()["title"] == "nothing_to_refuse"
    else:
        response = erase(browser, ERASE if ask == "form" else ERASE_ACCOUNT)
        assert response.status_code == 409
        assert not response.cookies
    assert rows() == before


# --- the forms -----------------------------------------------------------------------


def test_the_page_says_what_was_done_with_the_receipts_number(
    parisian: Client,
) -> None:
    choose(parisian, ALL)
    assert "/cookie-preferences/erase/" in page_of(parisian)
    back = {"return_to": "/cookie-preferences/?return_to=%2F"}
    address = erase(parisian, **back).headers["Location"]
    assert address.startswith("/cookie-preferences/?return_to=%2F&")
    assert address.endswith("#records")
    number = records()[-1]["id"]
    assert number not in address
    shown = parisian.get(address).content.decode()
    assert "Your records are erased" in shown
    assert number in shown


def page_of(browser: Client) -> str:
    return browser.get("/cookie-preferences/").content.decode()


def test_the_settings_page_erases_with_djangos_own_token(site: Site, ada: Any) -> None:
    browser = Client(enforce_csrf_checks=True, headers={"x-forwarded-for": PARIS})
    browser.force_login(ada)
    choose(browser, ALL)
    page = browser.get(SETTINGS)
    fields = {"sure": "yes", "csrfmiddlewaretoken": str(page.context["csrf_token"])}
    refused = browser.post(ERASE_ACCOUNT, {"sure": "yes"}, headers=OWN_PAGE)
    assert refused.status_code == 403
    assert Link.objects.count() == 1
    assert browser.post(ERASE_ACCOUNT, fields).status_code == 303
    assert not Link.objects.exists()
    assert records()[-1]["surface"] == "settings"


def test_the_settings_form_is_for_people_who_are_signed_in(parisian: Client) -> None:
    choose(parisian, ALL)
    response = erase(parisian, ERASE_ACCOUNT)
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/sign-in/")
    assert Link.objects.count() == 1


@pytest.mark.parametrize("path", [ERASE, ERASE_ACCOUNT])
def test_a_box_that_is_not_ticked_erases_nothing(
    parisian: Client, ada: Any, path: str
) -> None:
    parisian.force_login(ada)
    choose(parisian, ALL)
    before = rows()
    response = parisian.post(path, {}, headers=OWN_PAGE)
    assert response.status_code == 400
    assert "Tick the box" in response.content.decode()
    assert rows() == before
    assert parisian.get(path).status_code == 405


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://elsewhere.example"},
        {"Referer": "https://elsewhere.example/"},
    ],
)
def test_a_request_that_does_not_show_where_it_comes_from_erases_nothing(
    parisian: Client, headers: dict[str, str]
) -> None:
    choose(parisian, ALL)
    before = rows()
    posted = parisian.post(ERASE, {"sure": "yes"}, headers=headers)
    deleted = parisian.delete(API, headers=headers)
    assert (posted.status_code, deleted.status_code) == (403, 403)
    assert deleted.json()["title"] == "forbidden_origin"
    assert rows() == before


def test_the_forms_token_is_proof_enough(parisian: Client) -> None:
    choose(parisian, ALL)
    token = parisian.get("/cookie-preferences/").context["token"]
    response = parisian.post(ERASE, {"sure": "yes", "token": token})
    assert response.status_code == 303
    assert not Link.objects.exists()


def test_the_api_answers_only_delete_and_is_stored_nowhere(parisian: Client) -> None:
    assert parisian.get(API).status_code == 405
    response = parisian.delete(API, headers=OWN_PAGE)
    assert response.headers["Cache-Control"].startswith("no-store")


def test_a_page_of_another_site_gets_the_refusal_as_a_value(
    site: Site, settings: Any
) -> None:
    Site.objects.update(allowed_origins=["https://app.example"])
    publication.forget()
    settings.ALLOWED_HOSTS = ["localhost.other"]
    headers = {"origin": "https://app.example", "host": "localhost.other"}
    response = Client().delete(f"{API}?site={site.slug}", headers=headers)
    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == "https://app.example"
    assert not response.cookies
    kept = {**headers, "consent-cookie": response.json()["cookie"]}
    later = Client().get(f"/api/v1/decision?site={site.slug}", headers=kept).json()
    assert later["choice"]["purposes"] == NONE


def test_a_page_of_a_listed_origin_may_ask_whether_it_may(site: Site) -> None:
    Site.objects.update(allowed_origins=["https://app.example"])
    publication.forget()
    asked = Client().options(API, headers={"origin": "https://app.example"})
    assert asked.status_code == 204
    assert asked["Access-Control-Allow-Methods"] == "DELETE"


# --- neither hides an edit -----------------------------------------------------------


def sql(statement: str, *values: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.parametrize("table", ["consent_content", "consent_link"])
def test_without_a_removal_nothing_can_be_deleted(parisian: Client, table: str) -> None:
    choose(parisian, ALL)
    before = rows()
    with pytest.raises(IntegrityError, match="append-only"):
        sql(f"DELETE FROM {table}")
    assert rows() == before


@pytest.mark.parametrize("table", ["consent_content", "consent_restricted"])
def test_an_erasure_opens_the_door_for_no_content_and_no_restricted_link(
    parisian: Client, table: str
) -> None:
    choose(parisian, ALL)
    erase(parisian)
    before = rows()
    with pytest.raises(IntegrityError, match="append-only"):
        sql(f"DELETE FROM {table}")
    assert rows() == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent_removal SET reason = 'retention'",
        "DELETE FROM consent_removal",
        "UPDATE consent_restricted SET visitor = ''",
    ],
)
def test_what_an_erasure_wrote_can_only_be_added_to(
    parisian: Client, statement: str
) -> None:
    choose(parisian, ALL)
    erase(parisian)
    before = list(Removal.objects.values())
    with pytest.raises(IntegrityError, match="append-only"):
        sql(statement)
    assert list(Removal.objects.values()) == before


def test_a_removal_is_never_more_than_an_act_can_say(site: Site) -> None:
    some: dict[str, Any] = {
        "site": site,
        "reason": Removal.Reason.ERASURE,
        "tables": (Link,),
        "at": site_time(),
        "detail": {},
    }
    for entries in ([], [uuid.uuid4() for _ in range(removal.LARGEST + 1)]):
        with pytest.raises(ValueError, match="by one act"):
            removal.remove(entries=entries, **some)
    with pytest.raises(LookupError, match="verify_ledger"):
        removal.remove(entries=[uuid.uuid4()], **some)
    assert not Removal.objects.exists()


def test_a_choice_that_cannot_be_kept_leaves_everything_as_it_was(
    parisian: Client, ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of an erasure is one transaction: the refusal, the act, and what goes."""
    sign_in(parisian, ada)
    choose(parisian, ALL)
    before, held = rows(), decision(parisian)

    def fails(*_: Any) -> None:
        raise IntegrityError("the disk is full")

    monkeypatch.setattr(erasure, "refuse", fails)
    response = parisian.delete(API, headers=OWN_PAGE)
    assert response.status_code == 503
    assert rows() == before
    assert decision(parisian) == held
    assert send(parisian, body(ALL)).status_code == 201
