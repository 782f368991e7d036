"""The notice: what a visitor is shown, exactly as shown, kept once per hash.

Banner, preference centre, settings page and opt-out page print a notice and nothing
else about consent. Each is one document: its words, and its markup as the page's own
template renders it for somebody who has answered nothing, with the hashes of the style
sheets, scripts and pictures that dress it. Their bytes are kept too, so that what a
record points at opens years later as it looked (`standalone`).

A notice is a function of what the site published, of the words' language, and of what
is asked; nothing of a visitor is in it.
"""

from consent.notices.keeping import assets_of, forget, keep
from consent.notices.known import banner_known
from consent.notices.looks import served
from consent.notices.shown import Named, answered
from consent.notices.standalone import standalone
from consent.notices.surfaces import banner_notice, centre_notice, opt_out_notice
from consent.notices.words import Document, Kind, opt_out_link, title

__all__ = [
    "Document",
    "Kind",
    "Named",
    "answered",
    "assets_of",
    "banner_known",
    "banner_notice",
    "centre_notice",
    "forget",
    "keep",
    "opt_out_link",
    "opt_out_notice",
    "served",
    "standalone",
    "title",
]
