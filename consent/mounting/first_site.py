"""The first site of a project, from `CONSENT_SITE`, after its first migration.

Later versions of the policy are published in the administration or by
`publish_policy`: settings never publish over what an editor published.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db.models.signals import post_migrate
from django.utils import timezone

from consent import languages
from consent.core.policy_document import problems
from consent.models import PolicyVersion, Site
from consent.models.site import HOST
from consent.publication import publish, unfit

NEEDED: Final = (
    "name",
    "hosts",
    "controller_name",
    "controller_address",
    "controller_contact",
    "privacy_policy_url",
)
FURTHER: Final = (
    *("slug", "languages", "unreviewed_languages", "allowed_origins"),
    *("cookie_domain", "audience"),
    *("sensitive", "erasure", "policy"),
)
_LISTS: Final = ("hosts", "languages", "unreviewed_languages", "allowed_origins")


def follow_migrations(app: object) -> None:
    """Make the first site after the migrations of this app have run."""
    post_migrate.connect(_migrated, sender=app, dispatch_uid="consent.first_site")


def wrong_in(wanted: object) -> list[str]:
    """What is wrong with `CONSENT_SITE`, a sentence each."""
    if not isinstance(wanted, Mapping):
        return ["It must be a dictionary."]
    found = [f"It needs {name!r}." for name in NEEDED if not wanted.get(name)]
    unknown = [name for name in wanted if name not in (*NEEDED, *FURTHER)]
    found += [f"It has an unknown member, {name!r}." for name in unknown]
    found += _wrong_lists(wanted)
    document = wanted.get("policy", _NOTHING)
    if found:
        return found + problems(document)
    site = _site(wanted)
    try:
        site.clean_fields()
    except ValidationError as error:
        found += [f"{name}: {' '.join(m)}" for name, m in error.message_dict.items()]
    return found + unfit(site, document)


def _wrong_lists(wanted: Mapping[str, Any]) -> Iterator[str]:
    for name in _LISTS:
        texts = wanted.get(name) or []
        listed = isinstance(texts, list | tuple)
        if not listed or not all(isinstance(text, str) for text in texts):
            yield f"{name!r} must be a list of texts."
        elif name == "hosts" and not all(map(HOST.fullmatch, texts)):
            yield "'hosts' are names in small letters, without a port."


# What is asked where a project names no purposes: nothing, so that nothing may run.
_NOTHING: Final[Mapping[str, Any]] = {"purposes": {}, "services": []}


def _site(wanted: Mapping[str, Any]) -> Site:
    about = {name: value for name, value in wanted.items() if name != "policy"}
    about.setdefault("slug", "default")
    own = languages.fallback(settings.LANGUAGE_CODE) or languages.SOURCE
    about.setdefault("languages", [own])
    return Site(**about)


def _migrated(sender: object, using: str, **_: object) -> None:  # noqa: ARG001
    wanted = settings.CONSENT_SITE
    if wanted is None or using != "default":
        return
    wrong = wrong_in(wanted)
    if wrong:
        raise CommandError("CONSENT_SITE cannot be used. " + " ".join(wrong))
    site = Site.objects.order_by("pk").first()
    if site is None:
        site = _site(wanted)
        site.save()
    if not PolicyVersion.objects.filter(site=site).exists():
        publish(
            site=site,
            document=wanted.get("policy", _NOTHING),
            at=timezone.now(),
            by=None,
            note="From CONSENT_SITE.",
        )
