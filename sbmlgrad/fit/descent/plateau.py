"""Whether a descent still gains: a test of significance on the losses of its epochs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

#: Epochs whose mean loss is compared with that of as many before.
WINDOW = 12

#: Standard errors that count as progress; about one false alarm in forty windows.
SIGNIFICANT = 2.0

#: Share of the loss that counts as none, where common random numbers leave no noise.
RELATIVE = 1e-4


def is_plateau(losses: Sequence[float], window: int = WINDOW) -> bool:
    """Tell whether the last epochs are not significantly better than those before them.

    Args:
        losses: of the epochs under the present settings, the last one last.
        window: epochs on either side.

    Returns:
        Whether the mean of the last `window` losses is not below that of the `window` before by
        more than two standard errors of the difference; False while there are too few.
    """
    if len(losses) < 2 * window:
        return False
    before, after = np.split(np.asarray(losses[-2 * window :], dtype=np.float64), 2)
    variance = (before.var(ddof=1) + after.var(ddof=1)) / window
    noise = math.hypot(math.sqrt(variance), RELATIVE * abs(float(after.mean())))
    return float(before.mean() - after.mean()) <= SIGNIFICANT * noise
