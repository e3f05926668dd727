"""libRoadRunner's Gillespie simulator as a referee, alone or through tellurium."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sbmlgrad.referees.base import FloatArray
from sbmlgrad.referees.simulators.external import External


@dataclass(frozen=True, init=False)
class RoadRunner(External):
    """The direct method of libRoadRunner (Somogyi et al. 2015, 10.1093/bioinformatics/btv363).

    Attributes:
        package: `"roadrunner"`, or `"tellurium"` to load the model the way tellurium does; the
            engine is the same. The referee has this name.
    """

    package: str = "roadrunner"
    install_with: str = field(default="pip install 'sbmlgrad[validation]'", init=False)
    worker: str = field(default="roadrunner_worker.py", init=False)

    def __init__(self, package: str = "roadrunner", python: str | None = None) -> None:
        object.__setattr__(self, "package", package)
        object.__setattr__(self, "python", python)

    # Derived, since one class serves two packages; other simulators state theirs as fields.
    @property
    def name(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """That of the package."""
        return self.package

    @property
    def packages(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """What is imported."""
        return (self.package,)

    def request(
        self, document: bytes, species: Sequence[str], times: FloatArray
    ) -> Mapping[str, Any]:
        """Return how to load the document, and settings of the library's integrator."""
        del document, species, times
        settings = {"variable_step_size": False, "nonnegative": True}
        return {"package": self.package, "settings": settings}
