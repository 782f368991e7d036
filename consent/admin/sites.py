"""Sites and their published policies in the administration."""

import json
from typing import TYPE_CHECKING, Any

from django import forms
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
        super().save_model(request, obj, form, change)
        if "rule_overrides" in form.changed_data:
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
