"""Units of amounts, concentrations and counts, as people write them in headers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sbmlgrad.model.units import AVOGADRO

_PREFIXES = {
    "": 1.0,
    "d": 1e-1,
    "c": 1e-2,
    "m": 1e-3,
    "u": 1e-6,
    "n": 1e-9,
    "p": 1e-12,
    "f": 1e-15,
    "a": 1e-18,
}
_LONG = {"milli": "m", "micro": "u", "nano": "n", "pico": "p", "femto": "f", "atto": "a"}
_WORDS = "|".join(_LONG)
_PREFIX = f"(?P<prefix>{_WORDS}|[munpfa]?)"
#: `nM`, `micromolar`.
_MOLAR = re.compile(f"{_PREFIX}(?:M|[Mm]olar)")
#: `nmol`, `mol/l`, `nmol·L-1`, `mol m^-3`.
_MOLES = re.compile(
    f"{_PREFIX}mol(?:es?)?(?P<over> ?/ ?| per |[ *·.])?"
    r"(?:(?P<of_volume>[dcmunpf]?)(?P<volume>[lL]|(?:lit(?:re|er)s?)|m\^?3)(?P<power>\^?-[13])?"
    r"|(?P<of_length>[dcmunpf]?)m(?P<cube>\^?-3))?"
)
#: `molecules`, `copies/cell`. Counts may be those of a detector.
_NUMBER = re.compile(r"(?:molecules?|copies|copy numbers?|items?)(?: ?(?:/|per) ?cell)?")


@dataclass(frozen=True, slots=True)
class Substance:
    """A unit of substance.

    Attributes:
        molecules: in one unit, or in a litre at a concentration of one unit.
        is_concentration: whether it is one per volume.
    """

    molecules: float
    is_concentration: bool


def substance_of(unit: str) -> Substance | None:
    """Return what a unit of an amount, a concentration or a count is, or None if it is none.

    Use it to compare what a header says with the unit of a model. Prefixes are told apart by their
    case, as the SI does.

    Args:
        unit: as written, such as `uM`, `nmol/l`, `pmol` or `molecules`.
    """
    text = " ".join(unit.replace("µ", "u").replace("μ", "u").replace("⁻", "-").split())
    text = text.replace("−", "-")  # the minus sign of spreadsheets and print
    text = text.replace("¹", "1").replace("³", "3")
    if _NUMBER.fullmatch(text.lower()):
        return Substance(1.0, is_concentration=False)
    if match := _MOLAR.fullmatch(text):
        return Substance(_factor(match["prefix"]) * AVOGADRO, is_concentration=True)
    match = _MOLES.fullmatch(text)
    if match is None:
        return None
    moles = _factor(match["prefix"]) * AVOGADRO
    over, volume = match["over"] or "", match["volume"]
    if volume is None and match["cube"] is None:
        return None if over else Substance(moles, is_concentration=False)
    is_over = "/" in over or "per" in over
    # Either a stroke or a negative power says that the volume divides, and not both.
    if not over or is_over == bool(match["power"] or match["cube"]):
        return None
    if volume is not None and volume[0] in "lL":
        if (match["power"] or "-1").endswith("3"):
            return None
        return Substance(moles / _factor(match["of_volume"]), is_concentration=True)
    if (match["power"] or "").strip("^"):
        return None
    length = _factor(match["of_length"] if volume is None else match["of_volume"])
    return Substance(moles / (1000.0 * length**3), is_concentration=True)


def _factor(prefix: str | None) -> float:
    return _PREFIXES[_LONG.get(prefix or "", prefix or "")]
