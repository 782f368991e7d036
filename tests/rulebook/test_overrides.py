"""Operators change the book openly, with a reason, and never by accident."""

from datetime import date

import pytest

from consent.core.jurisdictions import Location, rule_for
from consent.core.purposes import Purpose
from consent.core.scales import Banner, Exemption, Model, OptOutLink
from consent.rulebook import OverrideError, RuleBook, apply, load

BOOK = load()
TODAY = date(2026, 11, 23)
WHO = {"by": "legal@example.org", "reason": "Counsel's opinion of 2 Nov 2026"}
ACCEPTED = {
    "accept_unknown_without_banner": "Visitors at unknown places see no banner."
}


def changed(*overrides: dict[str, object]) -> RuleBook:
    return apply(BOOK, [{**WHO, **override} for override in overrides])


def refusal(**override: object) -> str:
    with pytest.raises(OverrideError) as refused:
        apply(BOOK, [{**WHO, **override}])
    return str(refused.value)


def test_no_override_leaves_the_book_as_it_is():
    assert apply(BOOK, []) is BOOK


def test_an_override_changes_its_place_alone():
    book = changed({"place": "US-CA", "model": "opt_in"})
    row = book.row("US-CA", TODAY)
    assert row.rule.model is Model.OPT_IN
    assert row.rule.opt_out_link is OptOutLink.LABEL
    assert book.row("US-VA", TODAY) is BOOK.row("US-VA", TODAY)
    assert book.rules.on("US-CA", TODAY) == row.rule


def test_an_override_is_kept_with_its_reason_and_its_author():
    book = changed({"place": "DE", "gap_days": 365})
    (change,) = book.row("DE", TODAY).changes
    assert (change.by, change.reason) == (WHO["by"], WHO["reason"])
    assert change.fields == ("gap_days",)
    assert book.overrides == ({**WHO, "place": "DE", "gap_days": 365},)
    assert book.document()["overrides"] == [dict(book.overrides[0])]


def test_an_override_makes_another_version():
    book = changed({"place": "DE", "gap_days": 365})
    again = changed({"place": "DE", "gap_days": 365})
    assert book.version != BOOK.version
    assert book.version == again.version
    assert book.rules.version == book.version


def test_an_override_of_a_regime_changes_all_its_places():
    book = changed({"regime": "EU_GDPR_EPD", "grant_days": 90})
    assert book.row("FR", TODAY).rule.grant_days == 90
    assert book.row("AX", TODAY).rule.grant_days == 90
    assert book.row("GB", TODAY).rule.grant_days == 180


def test_a_new_model_brings_its_banner_and_its_clocks():
    softer = changed({"place": "VE", "model": "notice"}).row("VE", TODAY).rule
    assert (softer.banner, softer.grant_days) == (Banner.NONE, 365)
    harder = changed({"place": "MX", "model": "opt_in"}).row("MX", TODAY).rule
    assert (harder.banner, harder.grant_days) == (Banner.OPT_IN, 180)


def test_one_purpose_can_be_made_stricter():
    rule = (
        changed({"place": "SG", "purpose_models": {"marketing": "opt_in"}})
        .row("SG", TODAY)
        .rule
    )
    assert rule.model_for(Purpose.MARKETING) is Model.OPT_IN
    assert rule.model_for(Purpose.ANALYTICS) is Model.NOTICE
    assert rule.model is Model.OPT_IN


def test_exemptions_can_be_taken_away_and_claimed():
    none = changed({"place": "GB", "exemptions": []}).row("GB", TODAY)
    assert none.rule.exemptions == frozenset()
    offer = {"kind": "own_statistics", "conditions": "own only", "source": "HDPA"}
    greek = changed({"place": "EL", "exemptions": [offer]}).row("GR", TODAY)
    assert greek.rule.exemptions == {Exemption.OWN_STATISTICS}


def test_an_override_can_hold_for_a_time():
    book = changed(
        {"place": "CL", "since": "2026-11-01", "until": "2027-03-01", "gap_days": 400}
    )
    rows = book.periods_of("CL")
    starts = [str(row.since) for row in rows]
    assert starts == [
        "1999-08-28",
        "2026-11-01",
        "2026-12-01",
        "2027-03-01",
    ]
    assert [row.rule.gap_days for row in rows] == [365, 400, 400, 180]
    assert [row.until for row in rows] == [*(row.since for row in rows[1:]), None]
    assert rows[2].rule.model is Model.OPT_IN


def test_later_overrides_are_laid_over_earlier_ones():
    book = changed(
        {"regime": "EU_GDPR_EPD", "grant_days": 120}, {"place": "FR", "grant_days": 60}
    )
    assert book.row("FR", TODAY).rule.grant_days == 60
    assert book.row("DE", TODAY).rule.grant_days == 120
    assert len(book.row("FR", TODAY).changes) == 2


def test_a_book_that_was_changed_can_be_changed_again():
    ours = changed({"place": "DE", "gap_days": 365})
    site = apply(ours, [{**WHO, "place": "DE", "grant_days": 90}])
    rule = site.row("DE", TODAY).rule
    assert (rule.gap_days, rule.grant_days) == (365, 90)
    assert len(site.overrides) == 2


def test_an_unverified_place_is_served_once_somebody_vouches_for_it():
    vouched = {"place": "BN", "status": "verified", "model": "opt_out"}
    book = changed(vouched)
    found = rule_for(rules=book.rules, location=Location("BN"), on=TODAY)
    assert found.regime == "BN_PDPO"


def test_an_unverified_place_is_not_softened_by_the_way():
    assert "BN is unverified" in refusal(place="BN", model="none")
    book = changed({"regime": "NONE", "tracer_days": 30})
    assert rule_for(rules=book.rules, location=Location("DJ"), on=TODAY).regime == (
        "UNKNOWN_STRICTEST"
    )


@pytest.mark.parametrize(
    "softer",
    [
        {"banner": "none"},
        {"banner": "tell"},
        {"model": "opt_out"},
        {"gpc": "voluntary"},
        {"reject_parity": "recommended"},
        {"exemptions": [{"kind": "appearance", "conditions": "any", "source": "none"}]},
    ],
)
def test_unknown_places_are_never_lowered_in_silence(softer):
    for target in ({"place": "*"}, {"regime": "UNKNOWN_STRICTEST"}):
        sentence = refusal(**target, **softer)
        assert "less strict" in sentence
        assert "accept_unknown_without_banner" in sentence


@pytest.mark.parametrize("sentence", ["", "yes", "true", "no banner for them please"])
def test_the_acceptance_must_name_the_unknown_places(sentence):
    assert "less strict" in refusal(
        place="*", banner="none", accept_unknown_without_banner=sentence
    )


def test_lowering_unknown_places_on_purpose_is_told_to_the_caller():
    book = changed({"place": "*", "model": "opt_out", **ACCEPTED})
    assert book.lowered_unknown
    assert book.rules.unknown.banner is Banner.NONE
    assert book.row("T1", TODAY) is book.unknown
    later = apply(book, [{**WHO, "place": "FR", "gap_days": 365}])
    assert later.lowered_unknown, "forgotten by a later override"


def test_raising_unknown_places_needs_no_sentence():
    book = changed({"place": "*", "gap_days": 365})
    assert not book.lowered_unknown
    assert book.rules.unknown.gap_days == 365


def test_changing_a_known_place_lowers_no_unknown_one():
    book = changed({"place": "FR", "model": "none"})
    assert not book.lowered_unknown
    assert book.rules.unknown == BOOK.rules.unknown


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ({}, "name either a place or a regime"),
        ({"place": "FR", "regime": "EU_GDPR_EPD"}, "name either a place or a regime"),
        ({"place": "FR"}, "nothing to change"),
        ({"place": "T1", "model": "none"}, "no row of the rule book"),
        ({"place": "CA-ON", "model": "none"}, "no row of the rule book"),
        ({"place": "FR", "model": "opt-in"}, "model must be one of"),
        ({"place": "FR", "grant_limit": 400}, "grant_limit cannot be overridden"),
        ({"place": "FR", "grant_days": 181}, "above the limit of 180 days"),
        ({"place": "FR", "grant_days": True}, "whole number of days"),
        ({"place": "FR", "grant_days": 0}, "whole number of days"),
        ({"place": "FR", "gap_days": 30}, "below 180 days"),
        ({"place": "FR", "purpose_models": {"ads": "opt_in"}}, "unknown ads"),
        ({"place": "FR", "purpose_models": {"marketing": "none"}}, "must be stricter"),
        ({"place": "FR", "exemptions": "none"}, "must be a list"),
        ({"place": "FR", "exemptions": [{"kind": "x"}]}, "kind must be one of"),
        ({"place": "FR", "model": "none", "since": "soon"}, "since must be a date"),
        ({"place": "*", "gap_days": 365, "since": "2027-01-01"}, "has no dates"),
        ({"place": "FR", "gap_days": 365, "until": "2001-01-01"}, "no row of the"),
        (
            {
                "place": "FR",
                "gap_days": 365,
                "since": "2027-01-01",
                "until": "2027-01-01",
            },
            "until must be later than since",
        ),
    ],
)
def test_a_wrong_override_is_refused_in_one_sentence(override, sentence):
    said = refusal(**override)
    assert sentence in said
    assert said.startswith("override 1")
    assert "\n" not in said


@pytest.mark.parametrize("missing", ["by", "reason"])
def test_an_override_without_a_name_and_a_reason_is_refused(missing):
    override = {**WHO, "place": "FR", "gap_days": 365}
    del override[missing]
    with pytest.raises(OverrideError, match=f"{missing} must be a text"):
        apply(BOOK, [override])


def test_the_refused_override_is_named_by_its_number():
    good = {**WHO, "place": "FR", "gap_days": 365}
    with pytest.raises(OverrideError, match="override 2"):
        apply(BOOK, [good, {**WHO, "place": "FR", "gap_days": 1}])


def test_what_is_no_table_is_refused():
    with pytest.raises(OverrideError, match="a table is wanted"):
        apply(BOOK, ["FR"])  # type: ignore[list-item]


def test_an_override_that_cannot_be_hashed_is_refused():
    decomposed = "Counsel in Que\u0301bec says so"
    said = refusal(place="FR", gap_days=365, reason=decomposed)
    assert "cannot be kept as plain JSON" in said
