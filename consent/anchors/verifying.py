"""Whether an anchor that is kept still stands: for whoever audits the log."""

from consent.anchors import cosignatures, outsiders, timestamps
from consent.anchors.outcome import AnchorError
from consent.anchors.outsiders import OutsiderSettingError
from consent.models import Anchor, Checkpoint


def verify(anchor: Anchor, checkpoint: Checkpoint) -> str | None:
    """What is wrong with an anchor of a checkpoint, in a sentence; None where nothing.

    Nobody is asked: time-stamps are held against `CONSENT_TIMESTAMP_CA` as of the time
    that they tell, co-signatures against the keys in `CONSENT_WITNESSES`, so keep there
    what older anchors need.
    """
    place = (anchor.site_id, anchor.log, anchor.tree_size)
    if place != (checkpoint.site_id, checkpoint.log, checkpoint.tree_size):
        return "It was given for another checkpoint."
    checked = _timestamp if anchor.kind == Anchor.Kind.TIMESTAMP else _cosignature
    try:
        return checked(anchor, checkpoint)
    except (AnchorError, OutsiderSettingError) as error:
        return str(error)


def _timestamp(anchor: Anchor, checkpoint: Checkpoint) -> str | None:
    trusted = outsiders.trusted()
    if not trusted:
        return "CONSENT_TIMESTAMP_CA is not set, so no time-stamp can be checked."
    note = checkpoint.note.encode()
    told = timestamps.time_in(bytes(anchor.token), note=note, trusted=trusted)
    return None if told == anchor.time else f"It is of {told}, not of {anchor.time}."


def _cosignature(anchor: Anchor, checkpoint: Checkpoint) -> str | None:
    keys = [one.key for one in outsiders.witnesses() if one.name == anchor.name]
    if not keys:
        return (
            f"CONSENT_WITNESSES has no key of {anchor.name}, so it cannot be checked."
        )
    token = bytes(anchor.token)
    wrong = ""
    for key in keys:
        try:
            said = cosignatures.line_in(token, note=checkpoint.note, key=key)
        except AnchorError as error:
            wrong = str(error)
            continue
        if said.token != token:
            return "It is more than one signature line."
        told = said.time
        return (
            None if told == anchor.time else f"It is of {told}, not of {anchor.time}."
        )
    return wrong
