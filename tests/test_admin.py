"""The administration: records to read, sites to look after, nothing to falsify."""

import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from consent.models import Content, PolicyVersion, Site
from tests.visits import ALL, choose, decision, rows

FROZEN_ADMINS = ("content", "policyversion")


@pytest.fixture
def desk(auditor: Any) -> Client:
    """The auditor, signed in."""
    browser = Client()
    browser.force_login(auditor)
    return browser


@pytest.fixture
def office(site: Site) -> Client:
    """An administrator, signed in."""
    browser = Client()
    browser.force_login(get_user_model().objects.create_superuser("admin"))
    return browser


def page(model: str, what: str = "changelist", *keys: Any) -> str:
    return reverse(f"admin:consent_{model}_{what}", args=keys)


def test_the_auditor_finds_a_record_by_its_number_and_reads_its_bytes(
    desk: Client, parisian: Client
) -> None:
    receipt = choose(parisian, ALL)["receipt"]
    other = choose(parisian, {})["receipt"]
    found = desk.get(page("content"), {"q": receipt["id"]}).content.decode()
    assert receipt["id"] in found
    assert other["id"] not in found
    shown = desk.get(page("content", "change", receipt["id"]))
    assert shown.status_code == 200
    text = shown.content.decode()
    for part in (receipt["leaf_hash"], receipt["id"]):
        assert part in text


def test_a_record_that_was_erased_is_shown_to_nobody(
    desk: Client, parisian: Client
) -> None:
    number = choose(parisian, ALL)["receipt"]["id"]
    shown = page("content", "change", number)
    assert desk.get(shown).status_code == 200
    parisian.delete("/api/v1/visitor", headers={"Sec-Fetch-Site": "same-origin"})
    assert (
        desk.get(shown).status_code == 302
    )  # Django's way to say that it is not there
    desk.get(page("content"))  # which repeats what the page before it said
    assert number not in desk.get(page("content")).content.decode()


def test_a_search_for_anything_else_finds_nothing_and_breaks_nothing(
    desk: Client, parisian: Client
) -> None:
    choose(parisian, ALL)
    for words in ("x", "' OR 1=1 --", "%", "é" * 100, "0" * 32, "a b c"):
        assert desk.get(page("content"), {"q": words}).status_code == 200


@pytest.mark.parametrize("who", ["desk", "office"])
@pytest.mark.parametrize("model", FROZEN_ADMINS)
def test_nobody_adds_changes_or_deletes_what_is_kept(
    request: pytest.FixtureRequest, parisian: Client, who: str, model: str
) -> None:
    browser = request.getfixturevalue(who)
    choose(parisian, ALL)
    kept = {"content": Content, "policyversion": PolicyVersion}[model].objects.first()
    before = rows()
    assert browser.get(page(model)).status_code == 200
    assert browser.get(page(model, "change", kept.pk)).status_code == 200
    for address in (page(model, "add"), page(model, "delete", kept.pk)):
        assert browser.get(address).status_code == 403
        assert browser.post(address, {"post": "yes"}).status_code == 403
    changed = browser.post(page(model, "change", kept.pk), {"canonical": "{}"})
    assert changed.status_code == 403
    action = {"action": "delete_selected", "_selected_action": [str(kept.pk)]}
    browser.post(page(model), {**action, "post": "yes"})
    assert rows() == before
    kept.refresh_from_db()


def test_the_auditor_looks_at_sites_and_changes_none(desk: Client, site: Site) -> None:
    assert desk.get(page("site")).status_code == 200
    assert desk.get(page("site", "change", site.pk)).status_code == 200
    assert desk.post(page("site", "change", site.pk), {"name": "x"}).status_code == 403
    assert desk.get(page("site", "add")).status_code == 403
    assert desk.get(page("site", "delete", site.pk)).status_code == 403


@pytest.mark.parametrize("model", ["site", *FROZEN_ADMINS])
def test_nobody_without_the_right_looks_at_anything(site: Site, model: str) -> None:
    anybody = Client()
    assert anybody.get(page(model)).status_code == 302
    user = get_user_model().objects.create_user("staff", is_staff=True)
    anybody.force_login(user)
    assert anybody.get(page(model)).status_code == 403


LISTS = ("hosts", "allowed_origins", "languages", "rule_overrides")


def form(site: Site, **changes: Any) -> dict[str, Any]:
    """The site's form as the page would post it, with changes."""
    values = {
        "name": site.name,
        "hosts": json.dumps(site.hosts),
        "allowed_origins": json.dumps(site.allowed_origins),
        "languages": json.dumps(site.languages),
        "cookie_domain": site.cookie_domain,
        "controller_name": site.controller_name,
        "controller_address": site.controller_address,
        "controller_contact": site.controller_contact,
        "privacy_policy_url": site.privacy_policy_url,
        "audience": site.audience,
        "erasure": site.erasure,
        "rule_overrides": json.dumps(site.rule_overrides),
    }
    return values | changes


def test_a_site_is_changed_and_visitors_see_it_at_once(
    office: Client, site: Site, hidden: Client
) -> None:
    assert decision(hidden)["language"] == "en"
    response = office.post(
        page("site", "change", site.pk), form(site, languages='["fr"]')
    )
    assert response.status_code == 302
    assert decision(hidden)["language"] == "fr"


def test_the_short_name_of_a_site_is_never_changed_and_no_site_deleted(
    office: Client, site: Site
) -> None:
    office.post(page("site", "change", site.pk), form(site, slug="other"))
    site.refresh_from_db()
    assert site.slug == "default"
    assert office.get(page("site", "delete", site.pk)).status_code == 403


@pytest.mark.parametrize(
    "overrides",
    [
        "nonsense",
        '"FR"',
        "[1]",
        "[null]",
        '[{"place": "FR"}]',
        '[{"place": "QQ", "model": "opt_in", "by": "x", "reason": "y"}]',
        '[{"place": "*", "model": "none", "by": "x", "reason": "y"}]',
        '[{"place": "FR", "model": "perhaps", "by": "x", "reason": "y"}]',
        '[{"place": "FR", "gap_days": 1, "by": "x", "reason": "y"}]',
        '[{"place": ["FR"], "model": "none", "by": "x", "reason": "y"}]',
        '[{"place": "FR", "model": "none", "by": 7, "reason": null}]',
    ],
)
def test_overrides_that_cannot_be_applied_are_refused_in_the_form(
    office: Client, site: Site, overrides: str
) -> None:
    before = rows()
    response = office.post(
        page("site", "change", site.pk), form(site, rule_overrides=overrides)
    )
    assert response.status_code == 200
    assert "rule_overrides" in response.context["adminform"].form.errors
    assert rows() == before
    site.refresh_from_db()
    assert site.rule_overrides == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hosts", '{"a": 1}'),
        ("hosts", "[1]"),
        ("hosts", '"testserver"'),
        ("allowed_origins", "[null]"),
        ("allowed_origins", '["app.example.org"]'),
        ("allowed_origins", '["https://app.example.org/page"]'),
        ("languages", "[]"),
        ("languages", '["xx"]'),
        ("languages", '"en"'),
        *((name, value) for name in LISTS for value in ("5", "0", "true", "{}", "1.5")),
        ("hosts", '["example.org."]'),
        ("cookie_domain", "com"),
        ("cookie_domain", "https://example.org"),
        ("cookie_domain", "example.org; Secure"),
        ("cookie_domain", "127.0.0.1"),
        ("cookie_domain", "elsewhere.example"),
    ],
)
def test_values_that_pages_could_not_use_are_refused_in_the_form(
    office: Client, site: Site, field: str, value: str
) -> None:
    response = office.post(
        page("site", "change", site.pk), form(site, **{field: value})
    )
    assert response.status_code == 200
    assert field in response.context["adminform"].form.errors


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("shop.example", "shop.example"),
        ("*.shop.example", "a.shop.example"),
        ("a.shop.example", "*.shop.example"),
        ("*.shop.example", "*.a.shop.example"),
        ("*.a.shop.example", "*.shop.example"),
    ],
)
def test_a_host_belongs_to_one_site_alone(
    office: Client, site: Site, theirs: str, ours: str
) -> None:
    Site.objects.create(slug="shop", name="Shop", hosts=[theirs])
    hosts = json.dumps(["testserver", ours])
    response = office.post(page("site", "change", site.pk), form(site, hosts=hosts))
    (sentence,) = response.context["adminform"].form.errors["hosts"]
    assert sentence == f"{ours} belongs to the site shop."


def test_hosts_that_only_look_alike_belong_to_two_sites(
    office: Client, site: Site
) -> None:
    Site.objects.create(slug="shop", name="Shop", hosts=["*.shop.example"])
    hosts = '["testserver", "shop.example", "myshop.example"]'
    response = office.post(page("site", "change", site.pk), form(site, hosts=hosts))
    assert response.status_code == 302


def test_a_cookie_domain_that_holds_every_host_is_kept(
    office: Client, site: Site
) -> None:
    changes = {"hosts": '["example.org", "*.example.org"]'}
    for domain in ("example.org", ".example.org", ""):
        fields = form(site, cookie_domain=domain, **changes)
        response = office.post(page("site", "change", site.pk), fields)
        assert response.status_code == 302
        site.refresh_from_db()
        assert site.cookie_domain == domain


def acts() -> list[dict[str, Any]]:
    found = Content.objects.filter(kind="act").order_by("time")
    return [json.loads(content.canonical) for content in found]


def test_overrides_are_an_act_in_the_ledger_and_at_work_at_once(
    office: Client, site: Site, visitor: Any
) -> None:
    japanese = visitor("2001:218::1")
    assert decision(japanese)["banner"] == "none"
    overrides = [{"place": "JP", "model": "opt_in", "by": "us", "reason": "we want to"}]
    response = office.post(
        page("site", "change", site.pk),
        form(site, rule_overrides=json.dumps(overrides)),
    )
    assert response.status_code == 302
    assert decision(japanese)["banner"] == "opt_in"
    act = acts()[-1]
    assert act["act"] == "rule_book_changed"
    assert act["detail"] == {"lowered_unknown": False}
    receipt = choose(japanese, ALL)["receipt"]
    assert act["subject"] == receipt["record"]["jurisdiction"]["rulebook"]


def test_lowering_the_unknown_place_is_an_explicit_act_in_the_ledger(
    office: Client, site: Site, hidden: Client
) -> None:
    lowered = {
        "place": "*",
        "model": "notice",
        "by": "the operator",
        "reason": "our visitors are all at home",
        "accept_unknown_without_banner": "unknown visitors are not asked here",
    }
    response = office.post(
        page("site", "change", site.pk),
        form(site, rule_overrides=json.dumps([lowered])),
    )
    assert response.status_code == 302
    act = acts()[-1]
    assert act["act"] == "rule_book_changed"
    assert act["detail"] == {"lowered_unknown": True}
    assert decision(hidden)["model"] == "notice"


def test_an_override_that_is_taken_back_is_an_act_as_well(
    office: Client, site: Site, visitor: Any
) -> None:
    japanese = visitor("2001:218::1")
    overrides = [{"place": "JP", "model": "opt_in", "by": "us", "reason": "we want to"}]
    told = []
    for wanted in ([], overrides, [], overrides):
        fields = form(site, rule_overrides=json.dumps(wanted))
        office.post(page("site", "change", site.pk), fields)
        record = choose(japanese, ALL)["receipt"]["record"]
        told.append(record["jurisdiction"]["rulebook"])
    named = [act["subject"] for act in acts() if act["act"] == "rule_book_changed"]
    assert named == told
    assert told[0] == told[2] != told[1] == told[3]


def test_saving_without_changing_overrides_writes_no_act(
    office: Client, site: Site
) -> None:
    before = rows()
    response = office.post(page("site", "change", site.pk), form(site, name="Bakery"))
    assert response.status_code == 302
    assert rows() == before


def test_a_new_site_needs_a_short_name_that_can_name_a_log(
    office: Client, site: Site
) -> None:
    for slug in ("", "Default", "a b", "é", "x" * 41, "default", "../x"):
        response = office.post(page("site", "add"), form(site, slug=slug))
        assert "slug" in response.context["adminform"].form.errors
    new = form(site, slug="new", hosts='["new.example"]')
    assert office.post(page("site", "add"), new).status_code == 302
