"""COPASI's direct method as a referee."""

from __future__ import annotations

from dataclasses import dataclass, field

from sbmlgrad.referees.simulators.external import External


@dataclass(frozen=True)
class Copasi(External):
    """The direct method of COPASI (Hoops et al. 2006, 10.1093/bioinformatics/btl485)."""

    name: str = field(default="copasi", init=False)
    install_with: str = field(default="pip install python-copasi", init=False)
    packages: tuple[str, ...] = field(default=("COPASI",), init=False)
    worker: str = field(default="copasi_worker.py", init=False)
