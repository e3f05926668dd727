"""libRoadRunner's Gillespie simulator as a referee, alone or through tellurium."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sbmlgrad.referees.base import FloatArray
from sbmlgrad.referees.simulators.external import External


@dataclass(frozen=True)
class RoadRunner(External):
    """The direct method of libRoadRunner (Somogyi et al. 2015, 10.1093/bioinformatics/btv363).

    Attributes:
        package: `"roadrunner"`, or `"tellurium"` to load the model the way tellurium does; the
            engine is the same. The referee has this name.
    """

    package: str = "roadrunner"
    install_with: str = field(default="pip install 'sbmlgrad[validation]'", init=False)
    worker: str = field(default="roadrunner_worker.py", init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.package)
        object.__setattr__(self, "packages", (self.package,))

    def request(
        self, document: bytes, species: Sequence[str], times: FloatArray
    ) -> Mapping[str, Any]:
        """Return how to load the document, and settings of the library's integrator."""
        del document, species, times
        settings = {"variable_step_size": False, "nonnegative": True}
        return {"package": self.package, "settings": settings}
