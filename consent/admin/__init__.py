"""The administration: records to read, sites and policies to look after."""

from consent.admin.records import RecordAdmin
from consent.admin.sites import PolicyVersionAdmin, SiteAdmin

__all__ = ["PolicyVersionAdmin", "RecordAdmin", "SiteAdmin"]
