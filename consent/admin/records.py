"""Records in the administration: a list to read, and nothing to change."""

import json
import uuid
from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from consent.models import Content, Removal

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[Content]
else:
    _Admin = admin.ModelAdmin


class ReadOnly:
    """Nothing can be added, changed or deleted; looking needs its permission."""

    def has_add_permission(self, request: HttpRequest, *_: object) -> bool:
        return False

    def has_change_permission(
        self,
        request: HttpRequest,
        obj: Model | None = None,
    ) -> bool:
        return False

    def has_delete_permission(
        self,
        request: HttpRequest,
        obj: Model | None = None,
    ) -> bool:
        return False


@admin.register(Content)
class RecordAdmin(ReadOnly, _Admin):
    """The records of all sites, newest first, without those that were erased."""

    list_display = (
        "receipt",
        "time",
        "site",
        "event",
        "country",
        "rule",
        "model",
        "surface",
        "policy_version",
        "gpc",
    )
    list_filter = ("site", "kind", "event", "surface", "model", "gpc")
    list_select_related = ("site",)
    ordering = ("site", "-time", "entry")
    show_full_result_count = False
    fields = (
        "receipt",
        "site",
        "time",
        "record",
        "leaf_hash",
        "signature",
        "canonical",
    )
    readonly_fields = fields
    search_fields = ("entry",)
    search_help_text = _("A receipt's number")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Content]:
        erased = Removal.objects.filter(
            site=OuterRef("site"),
            entry=OuterRef("pk"),
            reason=Removal.Reason.ERASURE,
        )
        return super().get_queryset(request).exclude(Exists(erased))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Content], search_term: str
    ) -> tuple[QuerySet[Content], bool]:
        """Find one record by its number; anything else finds none."""
        if not search_term.strip():
            return queryset, False
        try:
            number = uuid.UUID(hex=search_term.strip())
        except ValueError:
            return queryset.none(), False
        return queryset.filter(pk=number), False

    @admin.display(description=_("receipt"))
    def receipt(self, content: Content) -> str:
        return content.entry_id.hex

    @admin.display(description=_("record"))
    def record(self, content: Content) -> SafeString:
        text = json.dumps(json.loads(content.canonical), indent=2, ensure_ascii=False)
        return format_html("<pre>{}</pre>", text)

    @admin.display(description=_("leaf hash"))
    def leaf_hash(self, content: Content) -> str:
        return bytes(content.entry.leaf_hash).hex()

    @admin.display(description=_("signature"))
    def signature(self, content: Content) -> str:
        return bytes(content.entry.signature).hex()
