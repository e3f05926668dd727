"""Units that level 1 and level 2 version 1 let a kinetic law have for itself."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from sbmlgrad.io.sbml.substance import seconds, substance_unit, units_differ
from sbmlgrad.model.issues import Issue


def law_unit_issues(model: Any) -> Iterator[Issue]:
    """Yield a warning for every kinetic law that is given in units other than the model's.

    Later versions of SBML have no `substanceUnits` and `timeUnits` of a law, because tools did not
    heed them. Numbers are taken as they are.

    Args:
        model: `libsbml.Model`.
    """
    for reaction in map(model.getReaction, range(model.getNumReactions())):
        law = reaction.getKineticLaw()
        if law is None:
            continue
        # The predefined time is the second.
        of_model = seconds(model, "time") or 1.0
        of_law = seconds(model, law.getTimeUnits()) or of_model
        if law.isSetTimeUnits() and not math.isclose(of_law, of_model):
            yield _differs(reaction, "timeUnits", law.getTimeUnits(), of_law / of_model)
        own = substance_unit(model, law.getSubstanceUnits())
        if law.isSetSubstanceUnits() and own.differs_from(substance_unit(model, "substance")):
            ratio = (own.items or math.nan) / (substance_unit(model, "substance").items or math.nan)
            yield _differs(reaction, "substanceUnits", law.getSubstanceUnits(), ratio)


def _differs(reaction: Any, attribute: str, unit: str, ratio: float) -> Issue:
    return units_differ(
        f"{reaction.getId() or reaction.getName()}/kineticLaw",
        reaction.getKineticLaw().getLine() or None,
        f"its {attribute} is '{unit}', {ratio:g} times the model's own; later versions of SBML "
        "have no such attribute and numbers are taken as they are, in units of the model.",
        f"Write the law in the model's units and leave {attribute} out.",
    )
