"""The tree kernel: the firings of the reference on every network, sums that do not drift."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_jobs import OUT_OF_RANGE, request_of
from networks import antimony, network

from sbmlgrad.codegen import tree_tables
from sbmlgrad.codegen.kernel_laws import kernel_inputs, kernel_laws
from sbmlgrad.codegen.kernel_modules import kernel_module
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines import Outcome, Reference
from sbmlgrad.engines.base import Request, Sample, result_arrays
from sbmlgrad.engines.readouts import AfterFirings, Interpolated, Readout, ValuesAt, WindowAverages
from sbmlgrad.engines.tree import kernel as tree_kernel
from sbmlgrad.engines.tree import sampling as tree
from sbmlgrad.errors import RequestError
from sbmlgrad.model.network import ReactionNetwork

READOUTS = [
    ValuesAt([0, 0.3, 1, 2.5]),
    WindowAverages([0, 0.5, 0.7, 2]),
    WindowAverages([0.4, 0.9, 1.0]),
    Interpolated([0, 0.2, 1.1]),
    AfterFirings([0, 1, 7, 20]),
]
NETWORKS = ["ion_channel", "small_dimer", "autoregulation", "hill", "michaelis_menten", "epidemic"]
#: Laws that the kernel reads in different ways; reaction i has law i modulo their number.
LAWS = (
    ("{a} => {b}", "k*{a}"),
    ("{a} + {b} => {c}", "0.02*k*{a}*{b}"),
    ("2 {a} => {b}", "0.03*k*{a}*({a} - 1)"),
    ("{a} + {b} + {c} => {a}", "0.002*k*{a}*{b}*{c}"),
    ("{c} => {a} + {b}", "k*{c}/(1 + {c}/5)"),
    ("{b} => {c}", "0*{b}"),
    (" => {a}", "k"),
    ("{a} => ", "0.001*{a}*({a} - 1)*({a} - 2)*{b}"),
)


def sampled(request: Request, *, threads: int = 2, firing_limit: int = 10**9) -> Sample:
    return tree.sample_tree(request, threads=threads, firing_limit=firing_limit)


def assert_same_firings(request: Request, firing_limit: int = 10**9) -> Sample:
    ours = sampled(request, firing_limit=firing_limit)
    with np.errstate(over="ignore"):  # sums that overflow are one of the failures
        reference = Reference(firing_limit).sample(request)
    if isinstance(request.readout, ValuesAt):
        np.testing.assert_array_equal(ours.values, reference.values)
    else:
        np.testing.assert_allclose(ours.values, reference.values, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(ours.outcomes, reference.outcomes)
    if not isinstance(request.readout, Interpolated):
        # The firing beyond the last time, to which lines are drawn, is counted differently.
        np.testing.assert_array_equal(ours.firings, reference.firings)
        np.testing.assert_array_equal(ours.end_states, reference.end_states)
        np.testing.assert_allclose(ours.end_times, reference.end_times, rtol=1e-9)
    return ours


def mixed(reactions: int) -> ReactionNetwork:
    species = max(reactions // 3, 4)
    names = ", ".join(f"S{i} in cell" for i in range(species))
    lines = [f"substanceOnly species {names};"]
    lines += [f"S{i} = {3 + i % 7};" for i in range(species)]
    rng = np.random.default_rng(reactions)
    for j in range(reactions):
        places = rng.choice(species, 3, replace=False)
        a, b, c = (f"S{i}" for i in places)
        change, law = (text.format(a=a, b=b, c=c) for text in LAWS[j % len(LAWS)])
        rate = f"k{j}"
        law = law.replace("k", rate)
        lines.append(f"{rate} = {0.5 + 0.05 * (j % 13)}; J{j}: {change}; {law};")
    return antimony("\n".join(lines))


def hub(reactions: int) -> ReactionNetwork:
    lines = [
        "substanceOnly species H in cell, X in cell, Y in cell; H = 9; X = 4; Y = 6; k = 0.01;"
    ]
    for j in range(reactions):
        lines.append(f"J{j}: H + X => {'X + Y' if j % 2 else '2 H'}; {1 + j % 3}*k*H*X;")
    lines += ["K0: Y => H; Y;", "K1: Y => X; 0.3*Y;", "K2: X => ; 0.1*X;"]
    return antimony("\n".join(lines))


@pytest.mark.parametrize("readout", READOUTS, ids=lambda r: type(r).__name__)
@pytest.mark.parametrize("name", NETWORKS)
def test_small_networks_fire_as_the_reference(name: str, readout: Readout) -> None:
    assert_same_firings(request_of(network(name), readout, 40))


@pytest.mark.parametrize("reactions", [8, 9, 64, 65, 600])
def test_trees_of_every_height_fire_as_the_reference(reactions: int) -> None:
    # As many firings in every network, or the reference takes long.
    short = [ValuesAt([10 / reactions, 30 / reactions])]
    for readout in READOUTS if reactions == 65 else short:
        found = assert_same_firings(request_of(mixed(reactions), readout, 4))
    assert found.firings.max() > 10


def test_a_species_in_hundreds_of_laws_fires_as_the_reference() -> None:
    request = request_of(hub(250), ValuesAt([0.2, 0.5, 1.5]), 6)
    assert tree_tables.tree_tables(request.lowered, kernel_laws(request.lowered)).several.size
    assert assert_same_firings(request).firings.max() > 10


def test_laws_out_of_range_are_taken_as_written() -> None:
    request = request_of(antimony(OUT_OF_RANGE), AfterFirings([3]), 5)
    assert kernel_inputs(kernel_laws(request.lowered), request.inputs) is None
    assert_same_firings(request)


@pytest.mark.parametrize(
    ("text", "outcome", "reaction"),
    [
        ("X = 3; k = 1; J0: X => ; k;", Outcome.NEGATIVE_COUNT, 0),
        ("X = 3; k = 1; J0: => X; k; J1: X => ; X*ln(X/4 + 0.3);", Outcome.NEGATIVE_PROPENSITY, 1),
        ("X = 3; k = 1; J0: => X; k; J1: X => ; k*X/(X - 2)^2;", Outcome.NON_FINITE, 1),
        ("X = 3; J0: => X; 1e308; J1: X => ; 1e308*X;", Outcome.NON_FINITE, 1),
        ("X = 1; J0: => X; 1e308; J1: X => ; 1e308*X;", Outcome.NON_FINITE, -1),
        ("X = 2; J0: X => ; X/(X - 2)^2; J1: X => ; X*ln(X/4 + 0.3);", Outcome.NON_FINITE, 0),
        ("X = 2; J0: X => ; X*ln(X/4 + 0.3); J1: X => ; X/(X - 2)^2;",
         Outcome.NEGATIVE_PROPENSITY, 0),
    ],
)  # fmt: skip
def test_failures_name_what_the_reference_names(text: str, outcome: Outcome, reaction: int) -> None:
    net = antimony("substanceOnly species X in cell; " + text)
    request = request_of(net, ValuesAt([0, 50]), 20, seed=1)
    ours = assert_same_firings(request)
    with np.errstate(over="ignore"):
        reference = Reference().sample(request)
    failed = ours.outcomes == outcome
    assert failed.any()
    np.testing.assert_array_equal(ours.failed_reaction, reference.failed_reaction)
    assert set(ours.failed_reaction[failed]) == {reaction}


def test_runaways_stop_at_the_firing_limit() -> None:
    net = antimony("substanceOnly species X in cell; X = 5; k = 1; J0: X => 2 X; k*X;")
    ours = assert_same_firings(request_of(net, ValuesAt([30]), 3), firing_limit=500)
    assert (ours.outcomes == Outcome.FIRING_LIMIT).all()


def test_a_network_without_reactions_stays_as_it_is() -> None:
    net = antimony("substanceOnly species X in cell; X = 4;")
    for readout in READOUTS:
        ours = assert_same_firings(request_of(net, readout, 3))
        assert (ours.outcomes == Outcome.ABSORBED).all()


def test_batches_and_threads_make_no_difference() -> None:
    request = request_of(mixed(64), ValuesAt([0.5, 2]), 37)
    whole = sampled(request)
    start = np.repeat(request.start, 37, axis=0)
    for threads, first, count in ((1, 0, 37), (2, 0, 5), (3, 5, 32)):
        part = Request(
            request.lowered,
            request.inputs,
            start[first : first + count],
            request.readout,
            count,
            request.seed,
            first_trajectory=first,
        )
        found = sampled(part, threads=threads)
        np.testing.assert_array_equal(found.values, whole.values[first : first + count])


def run_block(request: Request, limit: int, *, cancel: int) -> tuple[np.ndarray, Sample]:
    """Run one block by hand; returns the tree that it leaves behind."""
    results = result_arrays(request)
    job = tree.job_of(request, limit)
    job.cancel[0] = cancel
    memory = tree.memory_of(job)
    kernel_module(tree_kernel.TREE).sample_tree_block(job, memory, 0, 1, results)
    return memory.tree, Sample(*results, engine="")


def test_sums_do_not_drift() -> None:
    request = request_of(mixed(600), ValuesAt([1e9]))
    sums, sample = run_block(request, 20_000, cancel=0)
    assert sample.firings[0] == 20_000
    again = Request(
        request.lowered, request.inputs, sample.end_states, request.readout, 1, request.seed
    )
    fresh, _ = run_block(again, 0, cancel=0)
    np.testing.assert_array_equal(sums, fresh)


def test_cancelled_runs_stop() -> None:
    _, sample = run_block(request_of(mixed(64), ValuesAt([1e9])), 10**9, cancel=1)
    assert sample.outcomes[0] == Outcome.CANCELLED


def test_a_firing_may_change_more_species_than_a_record_holds() -> None:
    names = [f"S{i}" for i in range(20)]
    net = antimony(
        f"substanceOnly species X in cell, {', '.join(f'{s} in cell' for s in names)}; X = 30;"
        + "".join(f"{s} = 0;" for s in names)
        + f"J0: X => {' + '.join(names)}; X;"
        + "".join(f"J{i + 1}: {s} => ; {s}*({s} - 1);" for i, s in enumerate(names))
    )
    assert assert_same_firings(request_of(net, ValuesAt([0.1, 0.5]), 10)).firings.max() > 20


def test_large_bursts_fit_and_larger_ones_are_refused() -> None:
    text = "substanceOnly species X in cell; X = 0; J0: => {n} X; 1; J1: X => ; 1e-6*X;"
    ours = assert_same_firings(
        request_of(antimony(text.format(n=5_000_000)), ValuesAt([0.5, 1, 2]), 20)
    )
    assert ours.values.max() >= 5_000_000
    request = request_of(antimony(text.format(n=2**50)), ValuesAt([1]))
    with pytest.raises(RequestError, match=r"reaction 'J0' changes a count by .*kernel='table'"):
        sampled(request)


def test_too_many_species_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree_tables, "SLOT_MASK", 2)
    lowered = lower(mixed(8))
    with pytest.raises(RequestError, match=r"4 species.*kernel='table'"):
        tree_tables.tree_tables(lowered, kernel_laws(lowered))
