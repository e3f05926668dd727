"""The control variate of `CoupledDifference`: what an added firing is worth to first order.

The functions stay within numba's subset of Python; their source is compiled.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sbmlgrad.engines.codes import VALUES
from sbmlgrad.engines.table.kernel import fire
from sbmlgrad.gradients.coupling.expectation_kernels import input_slopes, state_slopes
from sbmlgrad.gradients.paths.adjoint_sweep import integrate_adjoint, times_jacobian


def worth_along(laws, kind, points, cotangent, path, firings, counts, inputs, chosen, gradient):
    """Walk a trajectory backwards with the first-order worth λ of a change of its state.

    -dλ/dt = Σ_i ∂a_i/∂x (v_i·λ) + the readout's own, for a readout weighted by `cotangent` [point,
    column]; ∫ Σ_i ∂a_i/∂θ (v_i·λ) dt is added to `gradient` [input]. `counts` holds the final state
    and is used up.

    Returns:
        v·λ for the added firing `chosen`, (firings before it, time, reaction).
    """
    fired, times, _ = path
    chosen_place, chosen_time, chosen_reaction = chosen
    code, changes, sparsity = laws.code, laws.changes, laws.sparsity
    species = counts.shape[0]
    reactions = changes.change_start.shape[0] - 1
    first = reactions + sparsity.state_variable.shape[0]
    worth = np.zeros(species)
    integral = np.zeros(species)
    source = np.zeros(species)
    term = np.empty(species)
    scratch = np.empty(species)
    weights = np.ones(reactions)
    stack = np.empty(laws.stack_size)
    in_state = np.empty(sparsity.state_variable.shape[0])
    in_input = np.empty(sparsity.input_variable.shape[0])
    point = cotangent.shape[0] - 1
    now = points[points.shape[0] - 1]
    found = 0.0
    for interval in range(firings, -1, -1):
        start = times[interval]
        state_slopes(code, reactions, counts, inputs, stack, in_state)
        input_slopes(code, first, counts, inputs, stack, in_input)
        integral[:] = 0.0
        is_asked = interval == chosen_place
        while True:
            mark = max(start, chosen_time) if is_asked else start
            if kind == VALUES:
                if point >= 0:
                    mark = max(mark, points[point])
            else:
                source[:] = 0.0
                # Skip windows that end after now: they are done.
                while point >= 0 and points[point] >= now:
                    point -= 1
                if point >= 0:
                    mark = max(mark, points[point])
                    width = points[point + 1] - points[point]
                    for s in range(species):
                        source[s] = cotangent[point, s] / width
            if now > mark:
                integrate_adjoint(
                    sparsity,
                    weights,
                    in_state,
                    source,
                    now - mark,
                    worth,
                    integral,
                    term,
                    scratch,
                )
                now = mark
            if kind == VALUES and point >= 0 and points[point] >= now:
                for s in range(species):
                    worth[s] += cotangent[point, s]
                point -= 1
            elif is_asked and now <= chosen_time:
                is_asked = False
                for i in range(
                    sparsity.change_start[chosen_reaction],
                    sparsity.change_start[chosen_reaction + 1],
                ):
                    found += sparsity.change_amount[i] * worth[sparsity.change_species[i]]
            elif now <= start:
                break
        for j in range(reactions):
            along = 0.0
            for i in range(sparsity.change_start[j], sparsity.change_start[j + 1]):
                along += sparsity.change_amount[i] * integral[sparsity.change_species[i]]
            for i in range(sparsity.input_start[j], sparsity.input_start[j + 1]):
                gradient[sparsity.input_variable[i]] += along * in_input[i]
        if interval > 0:
            fire(changes, fired[interval - 1], counts, -1.0)
    return found


#: Kernel functions that `worth_along` needs, besides those that all kernels of expectations call.
WORTH: tuple[Callable[..., object], ...] = (times_jacobian, integrate_adjoint, worth_along)
