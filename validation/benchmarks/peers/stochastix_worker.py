"""stochastix (JAX) as a worker of the gradient benchmark.

Its `DifferentiableDirect` solver is the straight-through estimator on the direct method; it is
mapped over keys and compiled as a whole. Options: `temperature`, and `checkpoint`, which its
`stochsimsolve` offers to save memory.
"""

from __future__ import annotations

import importlib
from importlib.metadata import version
from typing import Any

from gradients_loop import Calls, Outcome, serve


def software() -> str:
    """Return the version of stochastix; `ImportError` if it is not installed."""
    importlib.import_module("stochastix")
    return version("stochastix")


def prepare(job: Any, options: dict[str, Any]) -> Calls:
    """Return what simulates and differentiates the network."""
    jax = importlib.import_module("jax")
    jnp = importlib.import_module("jax.numpy")
    stochastix = importlib.import_module("stochastix")
    kinetics = importlib.import_module("stochastix.kinetics")
    solvers = importlib.import_module("stochastix.solvers")

    jax.config.update("jax_enable_x64", True)
    solver = solvers.DifferentiableDirect(logits_scale=float(options["temperature"]))
    edges = jnp.array(job.edges)
    low, high, end = edges[:-1], edges[1:], job.edges[-1]
    ids = job.species

    def text(r: int) -> str:
        sides = [" + ".join(ids[s] for s in side[r]) for side in (job.reactants, job.products)]
        return f"{sides[0] or '0'} -> {sides[1] or '0'}"

    def one(k: Any, key: Any) -> tuple[Any, Any]:
        network = stochastix.ReactionNetwork(
            [
                stochastix.Reaction(text(r), kinetics.MassAction(k[job.constants[r]]))
                for r in range(len(job.constants))
            ]
        )
        start = {name: float(n) for name, n in zip(ids, job.counts, strict=True)}
        x0 = jnp.array([start[name] for name in network.species])
        path = stochastix.stochsimsolve(
            key,
            network,
            x0,
            T=end,
            max_steps=job.steps + 1,
            solver=solver,
            save_propensities=False,
            checkpoint=bool(options.get("checkpoint", False)),
        )
        counts = path.x[:, network.species.index(ids[job.watched])]
        # A trajectory that can fire no more stops before the end, and stays as it is.
        until = jnp.append(path.t[1:], end)
        overlap = jnp.minimum(until[:, None], high) - jnp.maximum(path.t[:, None], low)
        shares = jnp.maximum(overlap, 0.0) / (high - low)
        total = jnp.sum(counts[:, None] * shares)
        # Its clock is a sum of steps, so that the last time may miss the end by a rounding error.
        is_cut_short = path.time_overflow & (path.t[-1] < (1.0 - 1e-9) * end)
        return jnp.where(is_cut_short, jnp.nan, total), jnp.sum(path.reactions >= 0)

    def ensemble(k: Any, keys: Any) -> tuple[Any, Any]:
        totals, firings = jax.vmap(one, (None, 0))(k, keys)
        return jnp.mean(totals), (totals, firings)

    run = jax.jit(ensemble)
    differentiate = jax.jit(jax.value_and_grad(ensemble, has_aux=True))
    k = jnp.array(job.parameters)

    def keys(number: int, seed: int) -> Any:
        return jax.random.split(jax.random.key(seed), number)

    def forward(number: int, seed: int) -> Outcome:
        _, (totals, firings) = jax.block_until_ready(run(k, keys(number, seed)))
        return Outcome(totals, firings)

    def gradient(number: int, seed: int) -> Outcome:
        answer = jax.block_until_ready(differentiate(k, keys(number, seed)))
        (_, (totals, firings)), slope = answer
        return Outcome(totals, firings, slope)

    return Calls(forward, gradient)


if __name__ == "__main__":
    serve(software, prepare)
