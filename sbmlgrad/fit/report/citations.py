"""What to cite: exactly the methods that a fit used."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sbmlgrad.fit.result import FitResult

_DIRECT = (
    "Exact simulation: D. T. Gillespie, Exact stochastic simulation of coupled chemical reactions, "
    "J. Phys. Chem. 81, 2340 (1977), doi:10.1021/j100540a008"
)
_IDENTITY = (
    "Gradients: A. Gupta, M. Khammash, Unbiased estimation of parameter sensitivities for "
    "stochastic chemical reaction networks, SIAM J. Sci. Comput. 35, A2598 (2013)"
)
_VILAR = (
    "Gradients: J. M. G. Vilar, L. Saiz, Exact discrete stochastic simulation with "
    "deep-learning-scale gradient optimization, arXiv:2602.19775 (2026)"
)
_GUMBEL = (
    "Relaxed choices: E. Jang, S. Gu, B. Poole, Categorical reparameterization with "
    "Gumbel-softmax, ICLR (2017)"
)
_SPLIT = (
    "Gradients: D. F. Anderson, An efficient finite difference method for parameter sensitivities "
    "of continuous time Markov chains, SIAM J. Numer. Anal. 50, 2237 (2012)"
)
_COMMON = (
    "Gradients: M. Rathinam, P. W. Sheppard, M. Khammash, Efficient computation of parameter "
    "sensitivities of discrete stochastic chemical reaction networks, J. Chem. Phys. 132, 034103 "
    "(2010)"
)
_COUPLED = (
    "Gradients: A. Gupta, M. Khammash, An efficient and unbiased method for sensitivity analysis "
    "of stochastic reaction networks, J. R. Soc. Interface 11, 20140979 (2014)"
)
_SCORE = (
    "Gradients: S. Plyasunov, A. P. Arkin, Efficient stochastic sensitivity analysis of discrete "
    "event systems, J. Comput. Phys. 221, 724 (2007)"
)

#: Estimator → what its method was published in.
ESTIMATORS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "TwoSidedAdjoint": (_IDENTITY,),
        "Adjoint": (_IDENTITY,),
        "FittedValue": (_IDENTITY,),
        "StraightThrough": (_VILAR, _GUMBEL),
        "CoupledDifference": (_IDENTITY, _COUPLED),
        "ScoreFunction": (_SCORE,),
        "FiniteDifference": (_SPLIT, _COMMON),
    }
)

_ADAM = (
    "Optimiser: D. P. Kingma, J. Ba, Adam: a method for stochastic optimization, ICLR (2015), "
    "arXiv:1412.6980"
)
_AVERAGE = (
    "Averaging of epochs: B. T. Polyak, A. B. Juditsky, Acceleration of stochastic approximation "
    "by averaging, SIAM J. Control Optim. 30, 838 (1992)"
)
_HYPERCUBE = (
    "Starts: M. D. McKay, R. J. Beckman, W. J. Conover, A comparison of three methods for "
    "selecting values of input variables in the analysis of output from a computer code, "
    "Technometrics 21, 239 (1979)"
)
_RESIDUALS = (
    "Residuals: P. K. Dunn, G. K. Smyth, Randomized quantile residuals, J. Comput. Graph. Stat. 5, "
    "236 (1996)"
)
_SCIPY = (
    "Optimiser: P. Virtanen et al., SciPy 1.0: fundamental algorithms for scientific computing in "
    "Python, Nat. Methods 17, 261 (2020), doi:10.1038/s41592-019-0686-2"
)
_SBML = (
    "Model format: S. M. Keating et al., SBML Level 3: an extensible format for the exchange and "
    "reuse of biological models, Mol. Syst. Biol. 16, e9110 (2020)"
)


def _stochastic(result: FitResult) -> list[str]:
    estimator = result.estimator.split("(", 1)[0]
    is_adam = result.optimizer.lower() == "adam"
    return [_DIRECT, *ESTIMATORS.get(estimator, ()), *([_ADAM] if is_adam else []), _AVERAGE]


def citations(result: FitResult) -> list[str]:
    """Return what a publication that uses this fit should cite, the software first."""
    provenance = result.model.provenance
    version = "" if provenance is None else provenance.software.get("sbmlgrad", "")
    software = f"The software: sbmlgrad {version}".strip()
    found = [f"{software}, gradients by {result.estimator}"]
    found += [_SCIPY] if result.is_deterministic else _stochastic(result)
    if len(result.starts) > 1:
        found.append(_HYPERCUBE)
    if result.predictions is not None:
        found.append(_RESIDUALS)
    return [*found, _SBML]
