"""THE table of instruments' layouts; a new one is one module and one entry here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sbmlgrad.io.layouts import biotek, bmg, tecan
from sbmlgrad.io.layouts.plate import Layout
from sbmlgrad.io.tables.cells import Grid

#: Name → layout.
LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {layout.name: layout for layout in (tecan.LAYOUT, bmg.LAYOUT, biotek.LAYOUT)}
)


def proposed(grid: Grid) -> Layout | None:
    """Return the layout whose marks a sheet bears, or None if there is none or a choice."""
    found = [layout for layout in LAYOUTS.values() if layout.is_of(grid)]
    return found[0] if len(found) == 1 else None
