"""What the pages call the values of the core, in words for people."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from consent.core.decide import Reason
from consent.core.jurisdictions import Source
from consent.core.record import Event, Surface
from consent.core.scales import Banner, Confidence, Model

EVENTS: Final = {
    Event.GRANTED: _("Allowed all"),
    Event.REFUSED: _("Refused all"),
    Event.PARTIAL: _("Allowed some"),
    Event.WITHDRAWN: _("Withdrew"),
    Event.OPTED_OUT: _("Opted out"),
    Event.MERGED: _("Joined at sign-in"),
    Event.IMPORTED: _("Imported"),
    Event.ERASED: _("Erased"),
}

SURFACES: Final = {
    Surface.BANNER: _("banner"),
    Surface.PREFERENCES: _("preference page"),
    Surface.SETTINGS: _("settings"),
    Surface.API: _("another program"),
    Surface.SIGNAL: _("browser signal"),
    Surface.OPT_OUT: _("opt-out page"),
    Surface.SIGN_IN: _("sign-in"),
}

MODELS: Final = {
    Model.OPT_IN: _("ask first"),
    Model.OPT_OUT: _("runs until refused"),
    Model.NOTICE: _("tell"),
    Model.NONE: _("nothing required"),
}

DUTIES: Final = {
    Model.OPT_IN: _("In that case, additional cookies wait until you allow them."),
    Model.OPT_OUT: _("In that case, additional cookies may run until you refuse them."),
    Model.NOTICE: _("In that case, a site has to tell you about additional cookies."),
    Model.NONE: _("We know of no rule there that asks for your consent."),
}

BANNERS: Final = {
    Banner.OPT_IN: _("asks"),
    Banner.NOTICE: _("tells"),
    Banner.NONE: _("not shown"),
}

REASONS: Final = {
    Reason.NOT_REQUIRED: _("no rule requires one"),
    Reason.STRICTER_PLACE: _("the earlier answer was given in a less strict place"),
    Reason.POLICY_CHANGED: _("what is asked has changed since the answer"),
    Reason.REASK_TOO_SOON: _("it is too soon to ask again"),
    Reason.CHOICE_EXPIRED: _("the earlier answer has run out"),
    Reason.NO_CHOICE: _("nothing was answered yet"),
    Reason.CHOICE_VALID: _("the answer given stands"),
}

SOURCES: Final = {
    Source.GEOIP: _("from the address, by the geo database"),
    Source.HEADER: _("told by the network in front of this server"),
    Source.DECLARED: _("as you declared it"),
    Source.UNKNOWN: _("not known, so the strictest rule applies"),
}

CONFIDENCES: Final = {
    Confidence.HIGH: _("high"),
    Confidence.MEDIUM: _("medium"),
    Confidence.LOW: _("low"),
}
