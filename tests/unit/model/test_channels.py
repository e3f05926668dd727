"""Channels: ids, changes, and laws split into forward and backward."""

from __future__ import annotations

import math

import numpy as np
import pytest
from laws import codes, found, network, rate
from networks import antimony
from sbml_text import line_of, model, parameter, reaction, species

import sbmlgrad as sg
from sbmlgrad.model.channels import channels
from sbmlgrad.model.initial import initial_values
from sbmlgrad.model.issues import Severity
from sbmlgrad.model.operators import evaluate


def test_a_plain_reaction_is_one_channel() -> None:
    (channel,) = found("J: A + B => C; k1*A*B")
    assert (channel.id, channel.reaction) == ("J", "J")
    assert channel.change == {"A": -1, "B": -1, "C": 1}


def test_a_reversible_reaction_is_two_channels() -> None:
    forward, backward = found("J: A + B -> 2 C; k1*A*B - k2*C*(C - 1)")
    assert (backward.id, backward.reaction) == ("J_backward", "J")
    assert forward.change == {"A": -1, "B": -1, "C": 2}
    assert backward.change == {"A": 1, "B": 1, "C": -2}


def test_a_law_that_is_only_backward_is_one_channel() -> None:
    (channel,) = found("J: A -> B; 0 - k2*B")
    assert channel.id == "J_backward"
    assert channel.change == {"A": 1, "B": -1}


def test_backward_ids_never_collide() -> None:
    net = network(
        "J: A -> B; k1*A - k2*B",
        "J_backward: B -> C; k1*B - k2*C",
        "J_backward_: C => A; k1*C",
    )
    ids = [channel.id for channel in channels(net)[0]]
    assert len(ids) == len(set(ids)) == 5
    assert {"J", "J_backward", "J_backward_"} <= set(ids)
    by_reaction = {c.id: c.reaction for c in channels(net)[0]}
    assert all(by_reaction[r] == r for r in ("J", "J_backward", "J_backward_"))


def test_a_backward_id_is_no_parameter_either() -> None:
    text = model(
        reaction("J", "k*A - k*B", "A", "B", reversible=True),
        species=[species("A"), species("B")],
        parameters=[parameter("k"), parameter("J_backward", 7.0)],
    )
    assert [c.id for c in channels(sg.load(text))[0]] == ["J", "J_backward_"]


def test_both_sides_are_netted() -> None:
    assert found("J: A => A + B; k1*A")[0].change == {"B": 1}
    assert found("J: 2 A => 3 A; k1*A")[0].change == {"A": 1}
    assert found("J: A + B => A + B; k1*A")[0].change == {}


def test_repeated_references_are_summed() -> None:
    text = model(
        reaction("J", "k*A", "A A", "B 2 B"),
        species=[species("A"), species("B")],
        parameters=[parameter("k")],
    )
    net = sg.load(text)
    assert dict(net.reactions[0].reactants) == {"A": 2.0}
    assert channels(net)[0][0].change == {"A": -2, "B": 3}


def test_boundary_and_constant_species_are_not_changed() -> None:
    text = model(
        reaction("J", "k*A*F*S", "A F S", "B"),
        species=[
            species("A"),
            species("B"),
            species("F", 3, boundaryCondition="true"),
            species("S", 2, boundaryCondition="true", constant="true"),
        ],
        parameters=[parameter("k")],
    )
    net = sg.load(text)
    assert net.species_ids == ("A", "B")
    assert channels(net)[0][0].change == {"A": -1, "B": 1}
    assert rate(net, 0, A=4) == 4 * 3 * 2


@pytest.mark.parametrize("written", ["0.5", "1.5"])
def test_fractions_of_molecules_block_only_the_stochastic_mode(written: str) -> None:
    text = model(
        reaction("J", "k*A", "A", f"{written} B"),
        species=[species("A"), species("B")],
        parameters=[parameter("k")],
    )
    net = sg.load(text)
    (issue,) = channels(net)[1]
    assert (issue.code, issue.element) == ("non_integer_stoichiometry", "J/B")
    assert (issue.severity, issue.blocks) == (Severity.ERROR, {"ssa"})
    assert issue.line == line_of(text, '<reaction id="J"')
    with pytest.raises(sg.UnsupportedModelError, match="non_integer_stoichiometry"):
        sg.simulate(net, times=[1], seed=1)


def test_fractions_that_cancel_are_no_change() -> None:
    text = model(
        reaction("J", "k*A", "A 0.3 B", "0.1 B 0.2 B"),
        species=[species("A"), species("B")],
        parameters=[parameter("k")],
    )
    assert channels(sg.load(text))[0][0].change == {"A": -1}
    assert not channels(sg.load(text))[1]


@pytest.mark.parametrize(
    "law",
    [
        "k1*A - k2*B",
        "cell*(k1*A - k2*B/Keq)",
        "(Vf*A/Ks - Vr*B/Kp)/(1 + A/Ks + B/Kp)",
        "piecewise(k1*A - k2*B, C > 3, k1*A)",
        "-Vf*(B - A)",
    ],
)
def test_channels_are_the_parts_of_the_law(law: str) -> None:
    net = network(f"J: A -> B; {law}")
    assert codes(net) == []
    rng = np.random.default_rng(3)
    for _ in range(20):
        counts = {s: float(rng.integers(0, 30)) for s in "ABC"}
        forward, backward = rate(net, 0, **counts), rate(net, 1, **counts)
        assert min(forward, backward) >= 0.0
        values = {**initial_values(net), **counts}
        truth = float(evaluate(net.reactions[0].rate_law, values))
        assert forward - backward == pytest.approx(truth, rel=1e-12, abs=1e-12)


def test_a_difference_inside_function_definitions_is_split() -> None:
    net = antimony(
        """
        function massaction(k, s)
          k*s
        end
        function net(kf, s, kr, p)
          massaction(kf, s) - massaction(kr, p)
        end
        substanceOnly species A in cell, B in cell; A = 5; B = 0; k1 = 1; k2 = 2;
        J: A -> B; cell*net(k1, A, k2, B);
        """
    )
    assert [c.id for c in channels(net)[0]] == ["J", "J_backward"]
    assert rate(net, 0, A=3, B=7) == 3
    assert rate(net, 1, A=3, B=7) == 14


def test_the_reversible_attribute_decides_nothing_but_a_warning() -> None:
    reversible, irreversible = network("J: A -> B; k1*A - k2*B"), network("J: A => B; k1*A - k2*B")
    assert channels(reversible)[0] == channels(irreversible)[0]
    assert codes(reversible) == []
    (issue,) = channels(irreversible)[1]
    assert (issue.code, issue.severity) == ("reversible_split", Severity.WARNING)
    assert not issue.blocks
    # And one that says reversible but cannot run backwards has one channel.
    assert [c.id for c in found("J: A -> B; k1*A")] == ["J"]


def test_a_parameter_that_is_zero_now_does_not_hide_a_channel() -> None:
    assert [c.id for c in found("J: A -> B; k1*A - off*B")] == ["J", "J_backward"]
    assert [c.id for c in found("J: A -> B; off*A - k2*B")] == ["J", "J_backward"]
    # 0 / 0 for now: the saturation constants are zero.
    assert [c.id for c in found("J: A -> B; k1*A - k2*B/(off + B)")] == ["J", "J_backward"]


@pytest.mark.parametrize(
    ("arrow", "law", "reason"),
    [
        ("A -> B", "(A - B)*(C - Keq)", "no exact difference"),
        ("A -> B", "k1*A - (A - B)*(C - B)", "no exact difference"),
        ("A -> B", "k1*A - k2", "does not vanish without 'B'"),
        ("A -> B", "k1*A - k2*C", "does not vanish without 'B'"),
        ("A -> B + C", "k1*A - k2*B", "does not vanish without 'C'"),
        ("=> B", "k1 - k2", "does not vanish without 'B'"),
    ],
)
def test_inseparable_laws_are_refused_by_name_and_line(arrow: str, law: str, reason: str) -> None:
    reactants, products = (
        side.replace("+", "").strip() for side in arrow.split("->" if "->" in arrow else "=>")
    )
    text = model(
        reaction("ok", "k1*A", "A"),
        reaction("J", law, reactants, products),
        species=[species(s) for s in "ABC"],
        parameters=[parameter("k1", 2), parameter("k2", 3), parameter("Keq", 5)],
    )
    net = sg.load(text)
    (issue,) = channels(net)[1]
    assert (issue.code, issue.element) == ("reversible_not_separable", "J")
    assert (issue.severity, issue.blocks) == (Severity.ERROR, {"ssa"})
    assert issue.line == line_of(text, '<reaction id="J"')
    assert reason in issue.message
    with pytest.raises(sg.UnsupportedModelError, match="reversible_not_separable"):
        sg.simulate(net, times=[1], seed=1)


def test_logistic_growth_splits_into_birth_and_death() -> None:
    net = network("J: A => 2 A; k1*A*(1 - A/Keq)")
    birth, death = channels(net)[0]
    assert (birth.change, death.change) == ({"A": 1}, {"A": -1})
    assert rate(net, 0, A=6) == 12
    assert rate(net, 1, A=6) == pytest.approx(2 * 36 / 5)


def test_a_law_of_unknown_sign_is_only_warned_about() -> None:
    net = network("J: A => ; k1*A*ln(A)")
    (issue,) = channels(net)[1]
    assert (issue.code, issue.severity) == ("sign_unknown", Severity.WARNING)
    assert not issue.blocks
    assert [c.id for c in channels(net)[0]] == ["J"]


def test_every_problem_of_every_reaction_is_found() -> None:
    net = network(
        "J1: A -> B; (A - B)*(C - Keq)",
        "J2: A => B; k1*A - k2*B",
        "J3: A => 0.5 B; k1*A",
        "J4: 2 A => B; k1*A*A",
        "J5: A -> B; k1*A - k2",
    )
    assert sorted(codes(net)) == [
        "combinatorial_form",
        "non_integer_stoichiometry",
        "reversible_not_separable",
        "reversible_not_separable",
        "reversible_split",
    ]


def test_the_mean_of_a_reversible_reaction_has_its_noise() -> None:
    # X of total 50 is binomial in equilibrium: mean 33.3, sd 4.71 for k1/k2 = 2 (50 trials, p=2/3)
    net = antimony(
        """
        substanceOnly species A in cell, B in cell; A = 50; B = 0; k1 = 2; k2 = 1;
        J: A -> B; k1*A - k2*B;
        """
    )
    n, p, trajectories = 50, 2 / 3, 4000
    run = sg.simulate(net, times=[20], trajectories=trajectories, seed=5)
    sd = math.sqrt(n * p * (1 - p))
    assert abs(run.mean("B")[-1] - n * p) < 4 * sd / math.sqrt(trajectories)
    assert abs(run.variance("B")[-1] / sd**2 - 1) < 4 * math.sqrt(2 / trajectories)
