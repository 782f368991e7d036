"""What is declared of earlier tools (docs/import.md): that it can be understood."""

from collections.abc import Iterator, Sequence

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import Error as AnyDatabaseError

from consent.core.imports import Declared, declared
from consent.models import PolicyVersion, Site


@register("consent")
def check_imports(app_configs: object, **_: object) -> Sequence[CheckMessage]:
    """A declaration that is misread would lose refusals."""
    return list(_misunderstood())


def _misunderstood() -> Iterator[CheckMessage]:
    for entry in settings.CONSENT_IMPORT_COOKIES:
        try:
            declared(entry)
        except ValueError as error:
            yield Error(
                f"CONSENT_IMPORT_COOKIES: {error}.",
                hint="docs/import.md says what an entry holds.",
                id="consent.E017",
            )


@register(Tags.database)
def check_versions(
    app_configs: object, databases: Sequence[str] | None = None, **_: object
) -> Sequence[CheckMessage]:
    """A version that was never published lets no earlier grant count."""
    if not databases:
        return []
    try:
        return list(_unpublished())
    except AnyDatabaseError:
        return []  # not migrated yet, or down: other messages say so


def _unpublished() -> Iterator[CheckMessage]:
    for of in _understood():
        sites = Site.objects.filter(slug=of.site) if of.site else Site.objects.all()
        if of.site and not sites.exists():
            yield checks.Warning(
                f"CONSENT_IMPORT_COOKIES names the site {of.site}, which does not "
                "exist.",
                hint="Give the short name of a site.",
                id="consent.W022",
            )
        for site in sites:
            if of.same_as is None:
                continue
            versions = PolicyVersion.objects.filter(site=site, version=of.same_as)
            if not versions.exists():
                yield checks.Warning(
                    f"{site.slug} never published the version {of.same_as} that "
                    f"answers to {of.tool} are said to be about: only refusals count.",
                    hint="Correct same_as in CONSENT_IMPORT_COOKIES.",
                    id="consent.W022",
                )


def _understood() -> Iterator[Declared]:
    for entry in settings.CONSENT_IMPORT_COOKIES:
        try:
            yield declared(entry)
        except ValueError:
            continue  # refused above
