"""`manage.py explain_decision`: why a visitor gets this banner, step by step."""

import json
from argparse import ArgumentParser
from datetime import UTC, date, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from consent import geolocation, publication
from consent.core.decide import Decision, decide
from consent.core.jurisdictions import Location, Rule, Source, rule_for
from consent.core.policy import Policy
from consent.core.purposes import consent_mode
from consent.core.signals import Signals
from consent.publication import Published
from consent.rulebook import Row


class Command(BaseCommand):
    """Explain a decision without a browser."""

    help = "Explain which banner a visitor gets, and by which law."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--ip", help="the visitor's address")
        parser.add_argument("--country", help="ISO 3166-1 code, instead of an address")
        parser.add_argument(
            "--subdivision",
            help="ISO 3166-2 code, such as US-CA, or only what follows its dash",
        )
        parser.add_argument(
            "--gpc", action="store_true", help="the browser sends the signal"
        )
        parser.add_argument(
            "--dnt", action="store_true", help="the browser sends DNT: 1"
        )
        parser.add_argument(
            "--on", help="a day (YYYY-MM-DD); this moment when left out"
        )
        parser.add_argument(
            "--site", help="the site's short name; the first when left out"
        )
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, **options: Any) -> None:  # noqa: ANN401
        here = _site(options["site"])
        location = _location(options, here)
        now, days = _moment(options["on"], here, location)
        decision = decide(
            policy=here.policy,
            rule=rule_for(rules=here.book.rules, location=location, on=days),
            choice=None,
            signals=Signals(gpc=options["gpc"], dnt=options["dnt"]),
            now=now,
        )
        document = _document(here, location, sorted(days), decision)
        if options["as_json"]:
            self.stdout.write(json.dumps(document, indent=2, ensure_ascii=False))
        else:
            self.stdout.write("\n".join(_lines(document)))


def _site(slug: str | None) -> Published:
    sites = publication.published()
    found = [here for here in sites if slug in {None, here.site.slug}]
    if not found:
        raise CommandError(
            f"There is no site {slug!r}."
            if slug
            else "There is no site yet: "
            "add one in the administration, or run manage.py prepare_demo."
        )
    return found[0]


def _moment(
    text: str | None, here: Published, location: Location
) -> tuple[datetime, frozenset[date]]:
    """The moment to decide for, and its days: a day that is named is that day alone.

    Otherwise it is now, and every day that it can be at the place counts, as for a
    visitor.
    """
    if text is None:
        now = timezone.now()
        return now, here.book.days(location, now=now)
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"--on {text}: give a day as YYYY-MM-DD.") from error
    return datetime.combine(day, time(12), tzinfo=UTC), frozenset({day})


def _location(options: dict[str, Any], here: Published) -> Location:
    if options["ip"] and options["country"]:
        raise CommandError("Give --ip or --country, not both.")
    if options["subdivision"] and not options["country"]:
        raise CommandError("--subdivision needs --country.")
    if options["ip"]:
        return geolocation.locate(options["ip"])
    if not options["country"]:
        return Location()
    country = here.book.place(options["country"].upper())
    part = (options["subdivision"] or "").upper()
    return Location(
        country=country,
        subdivision=(part if "-" in part else f"{country}-{part}") if part else None,
        source=Source.DECLARED,
    )


def _document(
    here: Published, location: Location, days: list[date], decision: Decision
) -> dict[str, Any]:
    rule = decision.rule
    return {
        "site": here.site.slug,
        "on": [day.isoformat() for day in days],
        "location": {
            "country": location.country,
            "subdivision": location.subdivision,
            "also": list(location.also),
            "source": str(location.source),
            "hidden": location.anonymous,
            "database": location.database,
        },
        "rule": _rule(rule),
        "rows": [_row(row) for row in _rows(here, rule, days)],
        "decision": {
            "model": decision.model.label,
            "banner": decision.banner.label,
            "reason": str(decision.reason),
            "purposes": {str(p): on for p, on in decision.purposes.items()},
            "services": dict(decision.services),
            "signals_applied": list(decision.applied),
            "signal_status": str(decision.status) if decision.status else None,
            "consent_mode": consent_mode(purposes=decision.whole),
        },
        "policy": _policy(here.policy),
        "rulebook": here.book.version,
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "regime": rule.regime,
        "law": rule.law,
        "confidence": rule.confidence.label,
        "models": {str(p): m.label for p, m in rule.models},
        "banner": rule.banner.label,
        "grant_days": rule.grant_days,
        "grant_limit": rule.grant_limit,
        "gap_days": rule.gap_days,
        "tracer_days": rule.tracer_days,
        "signal": "binding" if rule.gpc_binding else "voluntary",
        "signal_may_be_overridden": rule.gpc_override,
        "refusing_as_easy": rule.parity.label,
        "opt_out_link": rule.opt_out_link.label,
        "not_only_at_the_bottom": rule.no_bottom,
        "exemptions": sorted(rule.exemptions),
    }


def _policy(policy: Policy) -> dict[str, Any]:
    return {"version": policy.version, "hash": policy.hash}


def _rows(here: Published, rule: Rule, days: list[date]) -> list[Row]:
    """The rows behind a rule; two of a place where its rule changes in these days."""
    found: list[Row] = []
    for place in sorted(rule.places):
        rows = [here.book.row(place, day) for day in days]
        found += [row for n, row in enumerate(rows) if row not in rows[:n]]
    return found


def _row(row: Row) -> dict[str, Any]:
    return {"place": row.place, "name": row.name, **row.document()}


def _lines(document: dict[str, Any]) -> list[str]:
    """The explanation as text that reads from the address to the banner."""
    location, rule = document["location"], document["rule"]
    decision, rows = document["decision"], document["rows"]
    place = location["subdivision"] or location["country"] or "unknown"
    running = [p for p, on in decision["purposes"].items() if on]
    applied = ", ".join(decision["signals_applied"])
    lines = [
        f"On         {' or '.join(document['on'])}, site {document['site']}",
        f"Location   {place} ({location['source']}"
        + (f", {location['database']}" if location["database"] else "")
        + (", hidden" if location["hidden"] else "")
        + ")",
    ]
    if location["also"]:
        lines.append(f"Perhaps    {', '.join(location['also'])}: the stricter counts")
    lines += [
        f"Rule       {rule['name']} ({rule['regime']})",
        f"Confidence {rule['confidence']}",
        f"Law        {rule['law']}",
        *_notes(rows),
        f"Model      {', '.join(f'{p} {m}' for p, m in rule['models'].items())}",
        (
            f"Clocks     grant {rule['grant_days']} days (at most "
            f"{rule['grant_limit']}), ask again after {rule['gap_days']} days"
        ),
        f"Signal     {rule['signal']}; applied: {applied or 'none sent'}",
        f"Banner     {decision['banner']} ({decision['reason']})",
        f"Runs now   {', '.join(running)}",
        f"Rule book  {document['rulebook']}",
        "Research, not legal advice: see docs/rulebook.md.",
    ]
    return lines


_FEW = 3


def _notes(rows: list[dict[str, Any]]) -> list[str]:
    """What the research says of the rows; of many, only how many there are."""
    if len(rows) > _FEW:
        return [f"Combined   {len(rows)} rows of the rule book, the strictest of each"]
    notes = []
    for row in rows:
        if row.get("status") == "unverified":
            notes.append(f"Unverified {row['place']}: served as an unknown place")
        if row.get("note"):
            notes.append(f"Note       {row['place']}: {row['note']}")
    return notes
