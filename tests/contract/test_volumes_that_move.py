"""Exact simulation and the rate equations agree on concentrations in volumes that move.

Nothing fires in these models, so both have one solution; the two engines lower rate rules on their
own, and this is what keeps them together.
"""

import numpy as np
import pytest

import sbmlgrad as sg

TIMES = [0.0, 1.0, 3.0]
MATH = 'xmlns="http://www.w3.org/1998/Math/MathML"'


def document(volume: str, rate: str) -> str:
    """Return a model with a concentration C and an amount S that grows, in a volume V."""
    species = "".join(
        f'<species id="{name}" compartment="V" initial{quantity}="{value}" '
        f'hasOnlySubstanceUnits="{only}" boundaryCondition="true" constant="false"/>'
        for name, quantity, value, only in (
            ("C", "Concentration", 1, "false"),
            ("S", "Amount", 0, "true"),
        )
    )
    return (
        '<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">'
        '<model id="m" substanceUnits="item" extentUnits="item"><listOfCompartments>'
        '<compartment id="V" size="2" constant="false"/></listOfCompartments>'
        f"<listOfSpecies>{species}</listOfSpecies><listOfRules>{volume}"
        f'<rateRule variable="S"><math {MATH}><cn>1</cn></math></rateRule>'
        f'<rateRule variable="C"><math {MATH}>{rate}</math></rateRule>'
        "</listOfRules></model></sbml>"
    )


def ruled(formula: str) -> str:
    """Return an assignment rule for the volume."""
    return f'<assignmentRule variable="V"><math {MATH}>{formula}</math></assignmentRule>'


CLOCK = '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time">t</csymbol>'
VOLUMES = {
    "constant": "",
    "rate rule": f'<rateRule variable="V"><math {MATH}><ci>V</ci></math></rateRule>',
    "clock": ruled(f"<apply><plus/><cn>1</cn>{CLOCK}</apply>"),
    "a species with a rate rule": ruled("<apply><plus/><cn>1</cn><ci>S</ci></apply>"),
}
RATES = {"0": (lambda t: 1.0 + 0.0 * t), "-C": (lambda t: np.exp(-t))}


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("volume", VOLUMES)
def test_a_concentration_with_a_rate_rule_follows_it_whatever_the_volume_does(
    volume: str, rate: str
) -> None:
    formula = "<cn>0</cn>" if rate == "0" else "<apply><minus/><ci>C</ci></apply>"
    model = sg.load(document(VOLUMES[volume], formula))
    exact = RATES[rate](np.array(TIMES))
    for engine in (sg.engines.Native(), sg.engines.ODE()):
        found = sg.simulate(model, times=TIMES, seed=1, engine=engine).mean("C")
        np.testing.assert_allclose(found, exact, rtol=1e-6, err_msg=str(engine))


def test_a_volume_that_jumps_with_molecules_is_refused() -> None:
    text = document(ruled("<apply><plus/><cn>1</cn><ci>X</ci></apply>"), "<cn>0</cn>")
    text = text.replace(
        "</listOfSpecies>",
        '<species id="X" compartment="V" initialAmount="5" hasOnlySubstanceUnits="true" '
        'boundaryCondition="false" constant="false"/></listOfSpecies>',
    )
    with pytest.raises(sg.UnsupportedModelError, match="rate_rule"):
        sg.simulate(sg.load(text), times=TIMES, seed=1)
    sg.simulate(sg.load(text), times=TIMES, engine=sg.engines.ODE())
