"""When triggers of events change, between firings and by them.

The functions stay within numba's subset of Python.
"""

from __future__ import annotations

import math

import numpy as np

from sbmlgrad.codegen.hybrid_tables import TriggerTables
from sbmlgrad.codegen.table_driven import run_program
from sbmlgrad.codegen.tables import Code
from sbmlgrad.engines.codes import MOST_LOOKS_AT_TRIGGER
from sbmlgrad.engines.hybrid.memory import Motion
from sbmlgrad.engines.hybrid.search import is_still, next_change

#: How much further than needed a trigger on the clock alone is searched for its next change, so
#: that it need not be looked at again at every firing. Larger ones cost much where it changes often
#: and little is saved.
FURTHER = 15.0


def earliest_change(
    code: Code, triggers: TriggerTables, motion: Motion, truth, quiet_until, stop, end
):
    """Return (time, event) of the first trigger that changes by `stop`, or (`stop`, -1).

    Nothing is looked for after `end`. NaN as time: the changes of a trigger cannot be resolved.
    `quiet_until` [event] remembers until when a trigger on the clock alone stays as it is.
    """
    now = motion.state[motion.state.shape[0] - 1]
    most_looks = np.int64(MOST_LOOKS_AT_TRIGGER)
    found = -1
    for e in range(truth.shape[0]):
        if not triggers.moves[e] or stop <= quiet_until[e]:
            continue
        program, until = triggers.program[e], min(stop, end)
        change = next_change(code, motion, program, truth[e], until, most_looks)
        if math.isnan(change):
            return math.nan, e
        if change <= stop:
            stop = change
            found = e
        elif triggers.is_clock[e]:
            ahead = min(stop + FURTHER * (stop - now), end)
            change = next_change(code, motion, program, truth[e], ahead, most_looks)
            if math.isnan(change):
                quiet_until[e] = stop
            else:
                quiet_until[e] = np.nextafter(change, 0.0) if change < math.inf else ahead
    return stop, found


def has_changed(code: Code, triggers: TriggerTables, motion: Motion, truth, state):
    """Tell whether a firing has changed a trigger; those on the clock alone it cannot change."""
    for e in range(truth.shape[0]):
        if not triggers.is_clock[e]:
            value = run_program(code, triggers.program[e], state, motion.inputs, motion.stack)
            if not is_still(truth[e], value):
                return True
    return False
