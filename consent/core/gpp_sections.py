"""The sections of the United States in the Global Privacy Platform: national and state.

Fields in the order of the IAB Tech Lab's section specifications. Indiana, Kentucky,
Maryland and Rhode Island are not here: their sections (24 to 27) were published for
public comment, and begin with a section header that IAB's own library does not write.
Their visitors get the national section.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from consent.core.gpp import base64, integer

type Value = int | tuple[int, ...]

_GPC: Final = "01"  # the type of the sub-section, in two bits


@dataclass(frozen=True, slots=True)
class Section:
    """A section: id, prefix, version, its fields of two bits, and whether it has GPC.

    A field that is a list has its length; any other has None.
    """

    id: int
    name: str
    version: int
    fields: Mapping[str, int | None]
    gpc: bool

    def encoded(self, values: Mapping[str, Value], *, gpc: bool) -> str:
        """The section of a string; ValueError or KeyError for values that do not fit.

        The sub-section for Global Privacy Control says what the browser sent.
        """
        bits = integer(self.version, bits=6)
        for name, length in self.fields.items():
            bits += "".join(integer(n, bits=2) for n in _listed(values[name], length))
        core = base64(bits)
        return f"{core}.{base64(f'{_GPC}{gpc:d}')}" if self.gpc else core


def _listed(value: Value, length: int | None) -> tuple[int, ...]:
    if isinstance(value, int) != (length is None):
        raise ValueError("a list where a number belongs, or the reverse")
    numbers = (value,) if isinstance(value, int) else value
    if len(numbers) != (length or 1):
        raise ValueError(f"{len(numbers)} values for {length}")
    return numbers


def _section(
    number: int, name: str, fields: str, *, version: int = 1, gpc: bool = True
) -> Section:
    """A section by its fields in one text; `Name*8` is a list of eight."""
    named = [field.partition("*") for field in f"{fields} {_MSPA}".split()]
    lengths = {field: int(length) if length else None for field, _, length in named}
    return Section(number, name, version, lengths, gpc)


_MSPA: Final = "MspaCoveredTransaction MspaOptOutOptionMode MspaServiceProviderMode"
_NOTICES: Final = "SaleOptOutNotice TargetedAdvertisingOptOutNotice"
_EXITS: Final = "SaleOptOut TargetedAdvertisingOptOut"
_SENSITIVE: Final = "SensitiveDataProcessing"
_CHILD: Final = "KnownChildSensitiveDataConsents"
_MORE: Final = "AdditionalDataProcessingConsent"
_SHARED: Final = f"SharingNotice {_NOTICES} {_EXITS} {_SENSITIVE}"
_PROCESSED: Final = f"ProcessingNotice {_NOTICES} {_EXITS} {_SENSITIVE}"

NATIONAL: Final = _section(
    7,
    "usnat",
    "SharingNotice SaleOptOutNotice SharingOptOutNotice "
    "TargetedAdvertisingOptOutNotice SensitiveDataProcessingOptOutNotice "
    "SensitiveDataLimitUseNotice SaleOptOut SharingOptOut TargetedAdvertisingOptOut "
    f"{_SENSITIVE}*16 {_CHILD}*3 PersonalDataConsents",
    version=2,
)
_CALIFORNIA: Final = (
    "SaleOptOutNotice SharingOptOutNotice SensitiveDataLimitUseNotice SaleOptOut "
    f"SharingOptOut {_SENSITIVE}*9 {_CHILD}*2 PersonalDataConsents"
)
_UTAH: Final = (
    f"SharingNotice {_NOTICES} SensitiveDataProcessingOptOutNotice {_EXITS} "
    f"{_SENSITIVE}*8 {_CHILD}"
)
_IOWA: Final = (
    f"ProcessingNotice {_NOTICES} SensitiveDataOptOutNotice {_EXITS} "
    f"{_SENSITIVE}*8 {_CHILD}"
)
_STATES: Final = (
    _section(8, "usca", _CALIFORNIA),
    _section(9, "usva", f"{_SHARED}*8 {_CHILD}", gpc=False),
    _section(10, "usco", f"{_SHARED}*7 {_CHILD}"),
    _section(11, "usut", _UTAH, gpc=False),
    _section(12, "usct", f"{_SHARED}*8 {_CHILD}*3"),
    _section(13, "usfl", f"{_PROCESSED}*8 {_CHILD}*3 {_MORE}", gpc=False),
    _section(14, "usmt", f"{_SHARED}*8 {_CHILD}*3 {_MORE}"),
    _section(15, "usor", f"{_PROCESSED}*11 {_CHILD}*3 {_MORE}"),
    _section(16, "ustx", f"{_PROCESSED}*8 {_CHILD} {_MORE}"),
    _section(17, "usde", f"{_PROCESSED}*9 {_CHILD}*5 {_MORE}"),
    _section(18, "usia", _IOWA),
    _section(19, "usne", f"{_PROCESSED}*8 {_CHILD} {_MORE}"),
    _section(20, "usnh", f"{_PROCESSED}*8 {_CHILD}*3 {_MORE}"),
    _section(21, "usnj", f"{_PROCESSED}*10 {_CHILD}*5 {_MORE}"),
    _section(22, "ustn", f"{_PROCESSED}*8 {_CHILD} {_MORE}"),
    _section(23, "usmn", f"{_PROCESSED}*8 {_CHILD} {_MORE}"),
)
SECTIONS: Final[Mapping[str, Section]] = {s.name: s for s in (NATIONAL, *_STATES)}
