"""What to cite: exactly the methods that a fit used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from sbmlgrad.fit.report.kind import is_exact, objective_kind
from sbmlgrad.fit.result import FitResult

_DIRECT = (
    "Exact simulation: D. T. Gillespie, Exact stochastic simulation of coupled chemical reactions, "
    "J. Phys. Chem. 81, 2340 (1977), doi:10.1021/j100540a008"
)
_DRAWN = _DIRECT.replace("Exact simulation", "Exact simulation of what is drawn", 1)
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

_PROJECTION = (
    "Likelihood: B. Munsky, M. Khammash, The finite state projection algorithm for the solution of "
    "the chemical master equation, J. Chem. Phys. 124, 044104 (2006)",
    "Likelihood: Z. R. Fox, B. Munsky, The finite state projection based Fisher information matrix "
    "approach to estimate information and optimize single-cell experiments, PLoS Comput. Biol. 15, "
    "e1006365 (2019)",
)
_DWELLS = (
    "Likelihood: D. Colquhoun, A. G. Hawkes, On the stochastic properties of single ion channels, "
    "Proc. R. Soc. Lond. B 211, 205 (1981)",
)
_MISSED = (
    "Missed events: A. G. Hawkes, A. Jalali, D. Colquhoun, The distributions of the apparent open "
    "times and shut times in a single channel record when brief events cannot be detected, Phil. "
    "Trans. R. Soc. Lond. A 332, 511 (1990)"
)

#: Objective → what it was published in.
OBJECTIVES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "MeanTrajectory": (),
        "Distribution": (),
        "Moments": (
            "Likelihood of moments: C. Zechner et al., Moment-based inference predicts bimodality "
            "in transient gene expression, Proc. Natl. Acad. Sci. USA 109, 8340 (2012)",
        ),
        "SyntheticLikelihood": (
            "Likelihood: S. N. Wood, Statistical inference for noisy nonlinear ecological dynamic "
            "systems, Nature 466, 1102 (2010)",
        ),
        "RateOfChange": (
            "Conditional least squares: L. A. Klimko, P. I. Nelson, On conditional least squares "
            "estimation for stochastic processes, Ann. Stat. 6, 629 (1978)",
        ),
        "StateSpaceLikelihood": _PROJECTION,
        "DwellTimes": _DWELLS,
    }
)

#: Distance of `Distribution` → what it was published in.
_DISTANCES: Mapping[str, str] = MappingProxyType(
    {
        "energy": "Distance: G. J. Székely, M. L. Rizzo, Energy statistics: a class of statistics "
        "based on distances, J. Stat. Plan. Inference 143, 1249 (2013)",
        "mmd": "Distance: A. Gretton, K. M. Borgwardt, M. J. Rasch, B. Schölkopf, A. Smola, A "
        "kernel two-sample test, J. Mach. Learn. Res. 13, 723 (2012)",
    }
)

#: Method of `uncertainty` → what it was published in, for fits of simulations.
UNCERTAINTY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "fisher": (
            "Intervals: G. A. F. Seber, C. J. Wild, Nonlinear Regression, Wiley (2003), chapter 5",
            "Intervals: M. R. Osborne, Fisher's method of scoring, Int. Stat. Rev. 60, 99 (1992)",
        ),
        "profile": (
            "Intervals: A. Raue et al., Structural and practical identifiability analysis of "
            "partially observed dynamical models by exploiting the profile likelihood, "
            "Bioinformatics 25, 1923 (2009)",
            "Intervals: E. L. Ionides, C. Breto, J. Park, R. A. Smith, A. A. King, Monte Carlo "
            "profile confidence intervals for dynamic systems, J. R. Soc. Interface 14, 20170126 "
            "(2017)",
        ),
        "bootstrap": (
            "Intervals: B. Efron, R. J. Tibshirani, An Introduction to the Bootstrap, Chapman & "
            "Hall (1993)",
        ),
        "mcmc": (
            "Intervals: D. Foreman-Mackey, D. W. Hogg, D. Lang, J. Goodman, emcee: the MCMC "
            "hammer, Publ. Astron. Soc. Pac. 125, 306 (2013)",
            "Intervals: J. Goodman, J. Weare, Ensemble samplers with affine invariance, Commun. "
            "Appl. Math. Comput. Sci. 5, 65 (2010)",
        ),
    }
)
_OBSERVED = (
    "Intervals: B. Efron, D. V. Hinkley, Assessing the accuracy of the maximum likelihood "
    "estimator: observed versus expected Fisher information, Biometrika 65, 457 (1978)",
)

_ADAM = (
    "Optimiser: D. P. Kingma, J. Ba, Adam: a method for stochastic optimization, ICLR (2015), "
    "arXiv:1412.6980"
)
_AVERAGE = (
    "Averaging: B. T. Polyak, A. B. Juditsky, Acceleration of stochastic approximation "
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


#: Who wrote the software and what it is, in the words of `CITATION.cff`.
AUTHOR = "sbmlgrad developers"
TITLE = "sbmlgrad: exact stochastic simulation of SBML models, with gradients and calibration"


def citations(result: FitResult) -> list[str]:
    """Return what a publication that uses this fit should cite, the software first."""
    found = [_software(result)]
    found += [_SCIPY] if result.is_deterministic else [*_objective(result), *_descent(result)]
    found += _uncertainty(result)
    if len(result.starts) > 1:
        found.append(_HYPERCUBE)
    if result.predictions is not None:
        found.append(_RESIDUALS)
    return [*found, _SBML]


def _software(result: FitResult) -> str:
    provenance = result.model.provenance
    version = "" if provenance is None else provenance.software.get("sbmlgrad", "")
    told = f"The software: {AUTHOR}, {TITLE}{f', version {version}' if version else ''}"
    # An exact objective has its own gradient, and its sources follow.
    return told if is_exact(result) else f"{told}; gradients by {result.estimator}"


def _objective(result: FitResult) -> list[str]:
    name = objective_kind(result)
    found = [*OBJECTIVES.get(name, ())]
    if name == "Distribution":
        found += [told for kind, told in _DISTANCES.items() if f"{kind!r}" in result.objective]
    if name == "DwellTimes" and not re.search(r"dead_time=0\.0\D", result.objective):
        found.append(_MISSED)
    return found


def _descent(result: FitResult) -> list[str]:
    estimator = result.estimator.split("(", 1)[0]
    found = [*ESTIMATORS.get(estimator, ())]
    if not is_exact(result):
        found = [_DIRECT, *found]
    elif result.curves:
        found.append(_DRAWN)
    if result.optimizer.lower() == "adam":
        found.append(_ADAM)
    return [*found, _AVERAGE] if _is_averaged(result) else found


def _is_averaged(result: FitResult) -> bool:
    """Tell whether the fitted values are others than those of any epoch."""
    values = np.array([result.values[id] for id in result.free.ids])
    return not np.isclose(result.parameter_history, values, rtol=1e-9, atol=0.0).all(1).any()


def _uncertainty(result: FitResult) -> tuple[str, ...]:
    found = result.uncertainty
    if found is None:
        return ()
    if found.method == "fisher" and is_exact(result):
        return _OBSERVED
    return UNCERTAINTY.get(found.method, ())
