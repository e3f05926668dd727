"""BNGsim as a referee."""

from __future__ import annotations

from dataclasses import dataclass, field

from sbmlgrad.referees.simulators.external import External


@dataclass(frozen=True)
class BngSim(External):
    """The direct method of BNGsim, the simulation engine of the BioNetGen project."""

    name: str = field(default="bngsim", init=False)
    install_with: str = field(default="pip install bngsim", init=False)
    packages: tuple[str, ...] = field(default=("bngsim",), init=False)
    worker: str = field(default="bngsim_worker.py", init=False)
