"""Calibration: measurements + network → fitted network, with plots and a report.

The package shares its name with the verb `sbmlgrad.fit`. Importing a package binds it to its name
in the parent, so the package itself answers to a call, and `sbmlgrad.fit(...)` means the same
whichever was imported first.
"""

from __future__ import annotations

import sys
import types
from typing import Any


class _CallablePackage(types.ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from sbmlgrad.fit.run import fit

        return fit(*args, **kwargs)


sys.modules[__name__].__class__ = _CallablePackage
