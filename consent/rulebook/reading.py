"""How the fields of a table become a row of the rule book.

`row_from` reads what a table states, gives the rest its defaults (docs/rulebook.md
lists them) and refuses what it does not know. Where a row is silent on a clock, the
clock is the book's own (`_clocks`), so that no row has to repeat it.
"""

from typing import Final

from consent.core.jurisdictions import Models, Regime, Rule
from consent.core.purposes import Purpose
from consent.core.scales import Banner, Model
from consent.rulebook.fields import Fields, Given
from consent.rulebook.rows import (
    BANNERS,
    BASES,
    CONFIDENCES,
    EXEMPTIONS,
    LINKS,
    MODELS,
    PARITIES,
    PLACEMENTS,
    PURPOSES,
    SIGNALS,
    STATUSES,
    WAITS,
    Offer,
    Research,
    Row,
    Scoped,
)

ASKED_DAYS: Final = 180
UNASKED_DAYS: Final = 365
LEAST_GAP_DAYS: Final = 180


def row_from(place: str, name: str, given: Given, *, iso: bool = True) -> Row:
    """Read one period of a place, with its defaults; refuse what is not understood."""
    since = given.get("since")
    fields = Fields(f"{place} since {since}" if since else place, given)
    model = fields.choice("model", MODELS)
    models = _models(fields, model)
    offers = tuple(_offer(fields, item) for item in fields.items("exemptions"))
    figure = fields.days("grant_limit")
    rule = _rule(fields, place, models, figure, offers)
    reviewed = Fields(f"{fields.where}, reviewed", fields.table("reviewed"))
    row = Row(
        place=place,
        name=name,
        iso=iso,
        since=fields.day("since"),
        until=fields.day("until"),
        verified=fields.choice("status", STATUSES, "verified"),
        model=model,
        figure=figure,
        rule=rule,
        offers=offers,
        scoped=tuple(_scoped(fields, item) for item in fields.items("scoped")),
        gpp_section=fields.text("gpp_section", ""),
        research=_research(fields, rule.banner),
        reviewed_by=reviewed.text("by", ""),
        reviewed_on=reviewed.day("on"),
        given=given,
    )
    reviewed.done()
    fields.done()
    return row


def _models(fields: Fields, model: Model) -> Models:
    stricter = Fields(f"{fields.where}, purpose_models", fields.table("purpose_models"))
    found = tuple(
        (purpose, stricter.choice(name, MODELS, model.label))
        for name, purpose in PURPOSES.items()
    )
    stricter.done()
    for purpose, own in found:
        _refuse_softer(stricter, purpose, own, model)
    return found


def _refuse_softer(fields: Fields, purpose: Purpose, own: Model, model: Model) -> None:
    if own < model:
        fields.refuse(
            f"{purpose} must be stricter than the model {model.label}, not {own.label}"
        )


def _rule(
    fields: Fields,
    place: str,
    models: Models,
    figure: int | None,
    offers: tuple[Offer, ...],
) -> Rule:
    asked = any(model is Model.OPT_IN for _, model in models)
    grant, limit, gap = _clocks(fields, figure, asked=asked)
    regime = Regime(place, fields.text("regime"), fields.text("law"))
    return Rule(
        regimes=frozenset({regime}),
        confidence=fields.choice("confidence", CONFIDENCES),
        models=models,
        banner=fields.choice("banner", BANNERS, "ask" if asked else "none"),
        grant_days=grant,
        grant_limit=limit,
        gap_days=gap,
        tracer_days=fields.days("tracer_days"),
        gpc_binding=fields.choice("gpc", SIGNALS, "voluntary"),
        gpc_override=fields.flag("gpc_override", default=True),
        signal_display=fields.flag("signal_display", default=False),
        parity=fields.choice("reject_parity", PARITIES, "unspecified"),
        opt_out_link=fields.choice("opt_out_link", LINKS, "none"),
        no_bottom=fields.choice("placement", PLACEMENTS, "anywhere"),
        exemptions=frozenset(offer.kind for offer in offers),
    )


def _clocks(fields: Fields, figure: int | None, *, asked: bool) -> tuple[int, int, int]:
    """Life of a grant, the most a site may choose, the shortest gap (rule 5).

    Silent rows: 180 days where the visitor is asked, 365 elsewhere, never above the
    row's own figure; the gap is the longest of the row's, 180 days and that life.
    """
    usual = ASKED_DAYS if asked else UNASKED_DAYS
    limit = figure or usual
    grant = fields.days("grant_days") or min(usual, limit)
    if grant > limit:
        fields.refuse(f"grant_days {grant} is above the limit of {limit} days")
    return grant, limit, max(fields.days("gap_days") or 0, LEAST_GAP_DAYS, grant)


def _offer(fields: Fields, item: object) -> Offer:
    table = Fields(f"{fields.where}, exemptions", item)
    offer = Offer(
        kind=table.choice("kind", EXEMPTIONS),
        conditions=table.text("conditions"),
        source=table.text("source"),
    )
    table.done()
    return offer


def _scoped(fields: Fields, item: object) -> Scoped:
    table = Fields(f"{fields.where}, scoped", item)
    scoped = Scoped(data=table.text("data"), model=table.choice("model", MODELS))
    table.done()
    return scoped


def _research(fields: Fields, banner: Banner) -> Research:
    waits = "yes" if banner is Banner.OPT_IN else "no"
    return Research(
        basis=fields.choice("basis", BASES),
        banner_before_tags=fields.choice("banner_before_tags", WAITS, waits),
        source_read=fields.flag("source_read", default=False),
        source_url=fields.text("source_url", ""),
        source_says=fields.text("source_says", ""),
        checked=fields.day("checked"),
        check_says=fields.text("check_says", ""),
        also_read=fields.texts("also_read"),
        note=fields.text("note", ""),
    )
