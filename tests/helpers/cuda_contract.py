"""Run the contract of all engines with `Cuda` alone, on numba's simulator.

Usage: python cuda_contract.py, in the folder of the repository, with NUMBA_ENABLE_CUDASIM=1 in the
environment. The exit code is pytest's.
"""

from __future__ import annotations

import sys

import pytest

from sbmlgrad import engines
from sbmlgrad.engines.cuda.engine import Cuda

if __name__ == "__main__":
    # The contract's file enrols what stands here.
    engines.__dict__["Cuda"] = Cuda
    engines.__all__ = ["Cuda"]
    file = "tests/contract/test_engines.py"
    # Not what compares other engines with each other.
    others = "not enrolled and not oscillator"
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-k", others, file]))
