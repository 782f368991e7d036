"""Sites and their published policies in the administration."""

import json
import re
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from consent import publication, rulebook
from consent.admin.records import ReadOnly
from consent.models import PolicyVersion, Site
from consent.models.site import HOST

if TYPE_CHECKING:
    _SiteAdmin = admin.ModelAdmin[Site]
    _PolicyAdmin = admin.ModelAdmin[PolicyVersion]
    _SiteForm = forms.ModelForm[Site]
else:
    _SiteAdmin = _PolicyAdmin = admin.ModelAdmin
    _SiteForm = forms.ModelForm


_ORIGIN: Final = re.compile(
    r"https?://([a-z0-9][a-z0-9.-]*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?"
)


class SiteForm(_SiteForm):
    """A site, with rule overrides that can be applied."""

    class Meta:
        model = Site
        fields = (
            "slug",
            "name",
            "hosts",
            "allowed_origins",
            "languages",
            "unreviewed_languages",
            "cookie_domain",
            "controller_name",
            "controller_address",
            "controller_contact",
            "privacy_policy_url",
            "audience",
            "sensitive",
            "erasure",
            "rule_overrides",
        )

    def clean_hosts(self) -> list[str]:
        hosts = self._texts("hosts", HOST, _("Hosts are names without a port."))
        for other in Site.objects.exclude(pk=self.instance.pk):
            for host in hosts:
                if any(publication.overlap(host, its) for its in other.hosts):
                    raise forms.ValidationError(
                        _("%(host)s belongs to the site %(site)s.")
                        % {"host": host, "site": other.slug}
                    )
        return hosts

    def clean_allowed_origins(self) -> list[str]:
        sentence = _("Origins are like https://app.example.org, without a path.")
        return self._texts("allowed_origins", _ORIGIN, sentence)

    def clean_languages(self) -> list[str]:
        known = "|".join(re.escape(code) for code, _name in settings.LANGUAGES)
        sentence = _("Languages are some of: %(codes)s.")
        codes = ", ".join(code for code, _name in settings.LANGUAGES)
        return self._texts("languages", re.compile(known), sentence % {"codes": codes})

    def clean_unreviewed_languages(self) -> list[str]:
        codes = [code for code, _name in settings.LANGUAGES]
        known = re.compile("|".join(map(re.escape, codes)))
        sentence = _("Languages are some of: %(codes)s.") % {"codes": ", ".join(codes)}
        return self._texts("unreviewed_languages", known, sentence)

    def _texts(self, name: str, shape: re.Pattern[str], sentence: str) -> list[str]:
        """A list of texts of one shape: anything else would stop every page."""
        given = self.cleaned_data[name]
        # JSON may hold anything; a field left empty is None.
        listed: list[object] = given if isinstance(given, list) else []
        texts = [t for t in listed if isinstance(t, str) and shape.fullmatch(t)]
        if texts != ([] if given is None else given):
            raise forms.ValidationError(sentence)
        return texts

    def clean_rule_overrides(self) -> list[dict[str, Any]]:
        overrides = self.cleaned_data["rule_overrides"]
        overrides = [] if overrides is None else overrides
        if not _is_list_of_objects(overrides):
            raise forms.ValidationError(_("Rule overrides are a list of objects."))
        try:
            rulebook.apply(rulebook.load(), overrides)
        except rulebook.OverrideError as error:
            raise forms.ValidationError(str(error)) from error
        return overrides

    def clean(self) -> dict[str, Any] | None:
        """The cookie domain holds every host: browsers refuse a cookie of another."""
        cleaned = super().clean()
        domain = self.cleaned_data.get("cookie_domain", "").removeprefix(".")
        hosts = self.cleaned_data.get("hosts", [])
        if domain and not all(f".{host}".endswith(f".{domain}") for host in hosts):
            self.add_error("cookie_domain", _("Every host must be in this domain."))
        return cleaned


def _is_list_of_objects(value: object) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(value, list) and all(isinstance(v, dict) for v in value)


@admin.register(Site)
class SiteAdmin(_SiteAdmin):
    """Sites; the short name names a log and is never changed."""

    form = SiteForm
    list_display = ("slug", "name", "controller_name")

    def get_readonly_fields(
        self,
        request: HttpRequest,
        obj: Site | None = None,
    ) -> tuple[str, ...]:
        return ("slug",) if obj else ()

    def has_delete_permission(
        self,
        request: HttpRequest,
        obj: Site | None = None,
    ) -> bool:
        return False

    def save_model(
        self,
        request: HttpRequest,
        obj: Site,
        form: Any,  # noqa: ANN401
        change: bool,
    ) -> None:
        # What the form says it was is the browser's word; what is kept counts.
        kept = Site.objects.filter(pk=obj.pk).values_list("rule_overrides", flat=True)
        before: list[Any] = next(iter(kept), [])
        super().save_model(request, obj, form, change)
        if obj.rule_overrides != before:
            publication.note_rule_book(site=obj, at=timezone.now())
        publication.forget()


@admin.register(PolicyVersion)
class PolicyVersionAdmin(ReadOnly, _PolicyAdmin):
    """Published policies: readable for ever, and never changed."""

    list_display = ("site", "version", "published_at", "published_by", "note")
    list_filter = ("site",)
    fields = ("site", "version", "hash", "published_at", "published_by", "note", "text")
    readonly_fields = fields

    @admin.display(description=_("document"))
    def text(self, policy: PolicyVersion) -> SafeString:
        text = json.dumps(policy.document, indent=2, ensure_ascii=False)
        return format_html("<pre>{}</pre>", text)
