"""What the client script is told of a decision, beside what the decision document says.

The banner that is due, the words for what is held back, whether the browser's signal is
still to reach an account, and the cookies that are to go. And what stands at the foot
of a page for this visitor alone, which the script puts into pages of a shared cache.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, Final

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from consent import geolocation
from consent.core.decide import Decision
from consent.core.jurisdictions import Source
from consent.core.preferences import Choice
from consent.core.purposes import OPTIONAL, Purpose, consent_mode
from consent.core.record import timestamp
from consent.core.scales import Banner
from consent.core.signals import Signal
from consent.decision import Consent
from consent.notices import Kind, Named, banner_notice, opt_out_link, title
from consent.publication import Published

EDGES: Final = ("top", "bottom")
# Where the script puts the name of a service or of a purpose.
NAME: Final = "{name}"


def state(consent: Consent) -> dict[str, Any]:
    """All that a page needs for the script to ask nothing until somebody answers.

    The members are those of the decision document (docs/api.md), as far as the script
    uses them, and `told`.
    """
    decision = consent.decision
    return {
        "banner": decision.banner.label,
        "signals": signals(consent, decision),
        "purposes": {str(p): on for p, on in decision.purposes.items()},
        "services": dict(decision.services),
        # Without its receipt: that number is a key, and other scripts run on the page.
        "choice": _without_receipt(choice_document(decision.choice)),
        "policy": {"version": consent.published.policy.version},
        "language": consent.language,
        "consent_mode": consent_mode(purposes=decision.whole),
        **told(consent, decision),
    }


def told(consent: Consent, decision: Decision) -> dict[str, Any]:
    """Members that only the script needs: the banner's name, words, cookies to go."""
    shown = due(consent, decision)
    with translation.override(consent.language):
        held = _held(consent)
    return {
        "notice": named(shown) if shown else None,
        "held": held,
        "partly": sorted(str(purpose) for purpose in decision.partly),
        "post_signal": _import_due(consent) or _signal_due(consent, decision),
        "forget": forgotten(consent, decision),
    }


def due(consent: Consent, decision: Decision) -> Named | None:
    """The notice of the banner that has to be shown now; None where none has."""
    if decision.banner is Banner.NONE:
        return None
    return banner_notice(
        consent.published,
        decision,
        language=consent.language,
        whole=not decision.asked,
        kind=Kind.TELL if decision.banner is Banner.NOTICE else Kind.ASK,
    )


def named(notice: Named) -> dict[str, Any]:
    """A banner by its hash, with the purposes that it asks about."""
    asks = [purpose["purpose"] for purpose in notice.document["purposes"]]
    return {"hash": notice.hash, "asks": asks}


def edge(consent: Consent, wanted: str | None) -> str | None:
    """Where a pinned banner stands; None where the page shows it in its flow.

    A place may forbid a banner that stands only at the bottom.
    """
    if wanted not in EDGES:
        return None
    return "top" if consent.rule.no_bottom else wanted


def signals(consent: Consent, decision: Decision) -> dict[str, Any]:
    """The browser's signals, which were applied, and what became of them."""
    return {
        "gpc": consent.signals.gpc,
        "dnt": consent.signals.dnt,
        "applied": list(decision.applied),
        "status": str(decision.status) if decision.status else None,
    }


def choice_document(choice: Choice | None) -> dict[str, Any] | None:
    """The latest believed choice as plain values; None where there is none."""
    if choice is None or choice.at is None:
        return None
    return {
        "at": timestamp(choice.at),
        "expires_at": timestamp(choice.expires) if choice.expires else None,
        "purposes": {str(p): a.granted for p, a in choice.answers.items()},
        "services": {name: a.granted for name, a in choice.services.items()},
        "receipt": choice.receipt,
        "policy_version": choice.policy,
    }


def _without_receipt(choice: dict[str, Any] | None) -> dict[str, Any] | None:
    return {**choice, "receipt": None} if choice else None


def forgotten(consent: Consent, decision: Decision) -> list[str]:
    """Declared cookies, by name or pattern, of services that are off by an answer.

    Nothing that an essential cookie or a running service goes by is among them. Before
    any answer, and without a signal, nothing is deleted.
    """
    if decision.choice is None and not decision.applied:
        return []
    kept = {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}
    kept |= {settings.CONSENT_COOKIE_NAME, f"{settings.CONSENT_COOKIE_NAME}_id"}
    off: dict[str, None] = {}
    for service in consent.published.document.get("services", ()):
        names = [cookie["name"] for cookie in service.get("cookies", ())]
        if decision.allows(Purpose(service["purpose"]), service["slug"]):
            kept |= set(names)
        else:
            off |= dict.fromkeys(names)
    return [name for name in off if not any(_overlap(name, other) for other in kept)]


def _overlap(name: str, other: str) -> bool:
    """Whether two names may mean the same cookie; `*` stands for any characters."""
    return any(
        fnmatchcase(a, _only_stars(b)) for a, b in ((name, other), (other, name))
    )


def _only_stars(pattern: str) -> str:
    """A pattern in which only `*` is special: not `?`, and no character class."""
    return pattern.replace("[", "[[]").replace("?", "[?]")


def own_footer(consent: Consent, decision: Decision, href: str) -> dict[str, Any]:
    """The visitor's own part of a page's foot.

    The opt-out link where the rule wants it, leading to `href`; what became of the
    browser's signal; the attribution of the geo data where they told the place.
    """
    link = opt_out_link(decision, consent.language)
    located = consent.location.source is Source.GEOIP
    return {
        "opt_out_link": {**link, "href": href} if link else None,
        "status": str(decision.status) if decision.status else None,
        "attribution": geolocation.status() if located else None,
    }


def _held(consent: Consent) -> dict[str, Any]:
    """The words of a placeholder, where something on a page is held back."""
    language = consent.language
    here = consent.published
    return {
        "text": _("%(name)s is held back until you allow it.") % {"name": NAME},
        "allow": _("Allow %(name)s") % {"name": NAME},
        "dir": "rtl" if translation.get_language_bidi() else "ltr",
        "failed": _("This could not be saved, so nothing more runs. Please try again."),
        "purposes": {
            str(p): title(here, language, p)
            for p in OPTIONAL
            if p in consent.decision.offered
        },
        "services": dict(_services(here)),
    }


def _services(here: Published) -> Iterator[tuple[str, dict[str, Any]]]:
    for service in here.document.get("services", ()):
        each = service["purpose"] in here.policy.by_service
        about = {"purpose": service["purpose"], "name": service["name"], "each": each}
        yield service["slug"], about


def _import_due(consent: Consent) -> bool:
    """Whether the next POST would record what an earlier tool's cookie says."""
    return consent.own_choice is None and consent.choice is not None


def _signal_due(consent: Consent, decision: Decision) -> bool:
    """Whether a signed-in person's signal is still to reach their account (rule 6).

    The next POST brings it; who has answered about marketing already, with a no or over
    the signal, is not asked again.
    """
    if consent.account is None or not consent.signals.gpc or not consent.trusted:
        return False
    if Purpose.MARKETING not in consent.published.policy.purposes:
        return False
    choice = decision.choice
    answer = choice.answers.get(Purpose.MARKETING) if choice else None
    return answer is None or (answer.granted and Signal.GPC not in answer.over_signal)
