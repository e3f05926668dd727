"""PEtab problems: files of versions 1 and 2 ↔ `model.problem.Problem`.

`config` reads the YAML file, `rows` tables as text with row numbers, `formulas` the mathematics of
PEtab; `parameters`, `experiments`, `observables` and `measurements` make the parts of a problem of
rows. Writing is in `write`, predictions in `simulations`, plots in `visualizations`. The columns
and the mathematics are those of the PEtab specification (https://petab.readthedocs.io).
"""

from sbmlgrad.io.petab.load import load_petab
from sbmlgrad.io.petab.simulations import simulation_bytes, write_simulations
from sbmlgrad.io.petab.visualizations import with_visualization
from sbmlgrad.io.petab.write import petab_files, write_petab

__all__ = [
    "load_petab",
    "petab_files",
    "simulation_bytes",
    "with_visualization",
    "write_petab",
    "write_simulations",
]
