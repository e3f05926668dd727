"""`simulate_soft`: relaxed trajectories for the first steps of training, which are NOT exact.

Every firing is replaced by a weighted mean of all firings. That smooths the loss, and its gradient
is exact for the smoothed loss; but the trajectories belong to another process, with counts that are
no whole numbers. So this is no setting of `StraightThrough` or `simulate`, whose trajectories are
always exact: it is a function of its own, under its own name, and returns no `Ensemble`, so that
neither `fit` nor a summary, an export or a validation can take its numbers for exact ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sbmlgrad.codegen.lowering import LoweredNetwork, lower
from sbmlgrad.codegen.refusals import jumping_words, refuse_parameters_in_changes
from sbmlgrad.engines.random import LARGEST_TRAJECTORY
from sbmlgrad.engines.readouts import AfterFirings, Interpolated, WindowAverages
from sbmlgrad.errors import GradientError, ParameterError, RequestError
from sbmlgrad.gradients.chain import refuse_parameters_in_start
from sbmlgrad.gradients.tensorflow import is_tensor
from sbmlgrad.model.initial import initial_counts, initial_values
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.numbers import as_number, as_numbers, whole

#: Relaxed firings of a trajectory before its horizon counts as out of reach; all are kept.
MOST_FIRINGS = 10_000


@dataclass(frozen=True, eq=False)
class SoftTrajectories:
    """What a readout keeps of relaxed trajectories: an approximation, not an `Ensemble`.

    Attributes:
        network: the network.
        readout: what was kept.
        temperature: of the relaxed choices.
        seed: key of the random streams.
        values: float64 tensor [trajectory, point, column] with gradients; columns are relaxed
            counts of the species, then `time` after firings.
        lowest_count: the most negative relaxed count met, float64 tensor []: how far the relaxation
            left the states that exist; 0 or more if it did not.
        lowest_propensity: the most negative value of a law met, float64 tensor [], 0 if none was.
        firings: relaxed firings of the longest trajectory, int tensor [].
    """

    network: ReactionNetwork
    readout: WindowAverages | Interpolated | AfterFirings
    temperature: float
    seed: int
    values: Any
    lowest_count: Any
    lowest_propensity: Any
    firings: Any

    def counts(self, id: str) -> Any:
        """Return relaxed counts of a species, or `time`, float64 tensor [trajectory, point].

        Raises:
            ParameterError: no species has this id.
        """
        ids = self.network.species_ids
        names = (*ids, "time") if isinstance(self.readout, AfterFirings) else ids
        if id not in names:
            raise ParameterError(f"'{id}': these relaxed trajectories hold {', '.join(names)}")
        return self.values[:, :, names.index(id)]

    def mean(self, id: str) -> Any:
        """Return the mean of relaxed counts over trajectories, float64 tensor [point]."""
        import tensorflow as tf

        return tf.reduce_mean(self.counts(id), axis=0)


def simulate_soft(
    model: ReactionNetwork,
    parameters: Any,
    *,
    readout: WindowAverages | Interpolated | AfterFirings,
    temperature: float,
    trajectories: int,
    seed: int,
    initial: Mapping[str, float] | None = None,
    first_trajectory: int = 0,
    firing_limit: int = MOST_FIRINGS,
) -> SoftTrajectories:
    """Simulate the relaxed surrogate of a network, as an APPROXIMATION for the start of training.

    When to use it: to warm up where the straight-through gradient of exact trajectories is too
    noisy to begin with, then go on with `simulate(..., estimator=...)`. Never for results.

    Every step moves the state x by Σ_i y_i v_i with y = softmax((log a(x) + G) / temperature) and
    the clock by -ln u / a_0(x). The Gumbel noise G and u do not depend on the parameters, so for
    one seed the values are a smooth function of them, and the gradient is that function's own,
    unbiased for its expectation: a gradient of the surrogate, however far that is from the exact
    process. As the temperature goes to 0 the choice becomes the largest of log a + G and the law of
    the trajectories the exact one; the trajectories are others than those of `simulate`, since the
    choices are drawn in another way.

    Between whole counts a law means little, so the surrogate adds two rules. A relaxed count can
    fall below zero, by less than one firing takes away: laws then see 0, and the count itself is
    left as it is. And a law that is negative there, as k·X·(X - 1) at X = ½, counts as 0. The
    result says how far it went: `lowest_count`, `lowest_propensity`.

    Memory and cost: TensorFlow operations only, and its tape keeps every step, of the order of
    [firing, trajectory, reaction] numbers; use hundreds of trajectories, not millions.

    Args:
        model: the network, without events, rate rules and laws that depend on time.
        parameters: TensorFlow tensor or array [parameter], in the order of `model.parameter_ids`.
        readout: `AfterFirings` for a fixed number of firings, `WindowAverages` or `Interpolated`
            for a fixed time.
        temperature: finite, > 0.
        trajectories: how many.
        seed: 0 <= seed < 2^63.
        initial: species or compartment id → value at time 0, in the meaning of its symbol.
        first_trajectory: number of the first one, so that a batch can be split.
        firing_limit: relaxed firings of one trajectory within which the horizon must be reached.

    Returns:
        The relaxed values, with gradients in the parameters.

    Raises:
        GradientError: the network or the readout cannot be relaxed, or the horizon is not reached,
            or a propensity is not finite. Inside `tf.function` the last two are
            `tf.errors.InvalidArgumentError` with the same words.
        RequestError: temperature, trajectories or seed that make no sense.
        ParameterError: the parameters have another shape than [parameter].

    Source: Jang, Gu & Poole 2017, "Categorical reparameterization with Gumbel-softmax", eq. 2, as
    the choice of the reaction of Gillespie's direct method (Vilar & Saiz 2026, arXiv:2602.19775).
    """
    import tensorflow as tf

    from sbmlgrad.gradients.paths.soft_graph import Plan, soft_function

    warm = as_number("temperature", temperature)
    if not 0.0 < warm < math.inf:
        raise RequestError(
            f"simulate_soft(temperature={temperature!r}): give a finite number > 0; exact "
            "trajectories, the limit at 0, are what simulate() gives"
        )
    if not isinstance(readout, WindowAverages | Interpolated | AfterFirings):
        raise GradientError(
            f"simulate_soft cannot differentiate {type(readout).__name__}: as a function of firing "
            "times it is a step; use WindowAverages, Interpolated or AfterFirings"
        )
    lowered = lower(model)
    _refuse(lowered)
    n = whole("trajectories", trajectories, 1, LARGEST_TRAJECTORY)
    first = whole("first_trajectory", first_trajectory, 0, LARGEST_TRAJECTORY - n + 1)
    key = whole("seed", seed, 0, 2**63 - 1)
    limit = whole("firing_limit", firing_limit, 1, 2**31 - 1)
    if isinstance(readout, AfterFirings):
        limit = max(limit, readout.counts[-1])
    theta = _theta(model, parameters)
    values = initial_values(model, {}, initial or {})
    start = initial_counts(model, values, initial or {})
    constants = np.array([values[i] for i in lowered.constant_ids])
    run = soft_function(lowered, Plan(readout.kind, len(readout.points), n, limit))
    result, lowest_count, lowest_propensity, made, fault = run(
        tf.concat([theta, tf.constant(constants, tf.float64)], axis=0),
        tf.constant(start, tf.float64),
        tf.constant(readout.points, tf.float64),
        tf.constant(warm, tf.float64),
        tf.constant(key, tf.uint64),
        tf.constant(np.arange(first, first + n).astype(np.uint64)),
    )
    result = _checked(result, fault, limit)
    return SoftTrajectories(
        model, readout, warm, key, result, lowest_count, lowest_propensity, made
    )


def _refuse(lowered: LoweredNetwork) -> None:
    if lowered.is_timed:
        raise GradientError(
            f"simulate_soft: model '{lowered.network.id}' has {lowered.clock_words}, which a "
            "relaxed trajectory cannot follow"
        )
    if not lowered.channels:
        raise GradientError(
            f"simulate_soft: model '{lowered.network.id}' has no reactions, so nothing is relaxed"
        )
    refuse_parameters_in_start(lowered)
    refuse_parameters_in_changes(lowered, lowered.network.parameter_ids)
    if jumping := jumping_words(lowered):
        raise GradientError(
            f"simulate_soft: {jumping}, which has no gradient; use simulate() with an estimator "
            "of expectations, such as FittedValue()"
        )
    moved = [c for c in lowered.constant_ids if lowered.constant_derivatives[c]]
    if moved:
        raise GradientError(
            f"simulate_soft: {', '.join(map(repr, moved))} depends on parameters through an "
            "initial assignment, whose derivative is not followed here; remove the initial "
            "assignment, or use simulate()"
        )


def _theta(model: ReactionNetwork, parameters: Any) -> Any:
    import tensorflow as tf

    if not is_tensor(parameters):
        parameters = as_numbers("parameters", parameters)
    theta = tf.cast(tf.convert_to_tensor(parameters), tf.float64)
    count = len(model.parameter_ids)
    if theta.shape.rank != 1 or theta.shape[0] not in (count, None):
        raise ParameterError(
            f"parameters: model '{model.id}' has {count} parameters "
            f"({', '.join(model.parameter_ids) or 'none'}), got shape {tuple(theta.shape)}; pass "
            "[parameter]"
        )
    return theta


def _checked(values: Any, fault: Any, limit: int) -> Any:
    """Return values, or raise for what went wrong: eagerly at once, in a graph when it runs."""
    import tensorflow as tf

    texts = (
        "simulate_soft: a propensity of a relaxed state is not finite. A law that is sound for "
        "whole counts need not be so between them; begin with simulate() instead",
        f"simulate_soft: the end of the readout is not reached within {limit} relaxed firings; ask "
        "for a shorter time, or raise firing_limit",
    )
    if tf.executing_eagerly():
        if int(fault):
            raise GradientError(texts[int(fault) - 1])
        return values
    checks = [tf.debugging.Assert(fault != i, [text]) for i, text in enumerate(texts, start=1)]
    with tf.control_dependencies(checks):
        return tf.identity(values)
