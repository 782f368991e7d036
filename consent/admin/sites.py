"""Sites and their published policies in the administration."""

import json
import re
from typing import TYPE_CHECKING, Any, Final

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

if TYPE_CHECKING:
    _SiteAdmin = admin.ModelAdmin[Site]
    _PolicyAdmin = admin.ModelAdmin[PolicyVersion]
    _SiteForm = forms.ModelForm[Site]
else:
    _SiteAdmin = _PolicyAdmin = admin.ModelAdmin
    _SiteForm = forms.ModelForm


_HOST: Final = re.compile(r"(\*\.)?[a-z0-9][a-z0-9.-]*|\[[0-9a-f:.]+\]")
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
            "cookie_domain",
            "controller_name",
            "controller_address",
            "controller_contact",
            "privacy_policy_url",
            "audience",
            "sensitive",
            "rule_overrides",
        )

    def clean_hosts(self) -> list[str]:
        return self._texts("hosts", _HOST, _("Hosts are names without a port."))

    def clean_allowed_origins(self) -> list[str]:
        sentence = _("Origins are like https://app.example.org, without a path.")
        return self._texts("allowed_origins", _ORIGIN, sentence)

    def clean_languages(self) -> list[str]:
        known = "|".join(re.escape(code) for code, _name in settings.LANGUAGES)
        sentence = _("Languages are some of: %(codes)s.")
        codes = ", ".join(code for code, _name in settings.LANGUAGES)
        return self._texts("languages", re.compile(known), sentence % {"codes": codes})

    def _texts(self, name: str, shape: re.Pattern[str], sentence: str) -> list[str]:
        """A list of texts of one shape: anything else would stop every page."""
        given = self.cleaned_data[name] or []
        texts = [t for t in given if isinstance(t, str) and shape.fullmatch(t)]
        if texts != given:
            raise forms.ValidationError(sentence)
        return texts

    def clean_rule_overrides(self) -> list[dict[str, Any]]:
        overrides: list[dict[str, Any]] = self.cleaned_data["rule_overrides"] or []
        try:
            rulebook.apply(rulebook.load(), overrides)
        except rulebook.OverrideError as error:
            raise forms.ValidationError(str(error)) from error
        return overrides


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
            book = rulebook.apply(rulebook.load(), obj.rule_overrides)
            publication.record_act(
                site=obj,
                at=timezone.now(),
                act="rule_overrides_changed",
                subject=book.version,
                detail={"lowered_unknown": book.lowered_unknown},
            )
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
