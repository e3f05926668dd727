"""The numbers that kernels and the rest of the package mean the same by, and when kernels give up.

Kernels know no enumerations, texts or exceptions. What they are told and what they answer are plain
numbers, and all of those have their names here; opcodes of the table machine are in
`model.operators`, purposes of random streams in `engines.random`.
"""

from __future__ import annotations

from sbmlgrad.model.distributions import DISTRIBUTIONS

# --- how a trajectory ended: `base.Outcome` says it in words for users ----------------------------

COMPLETED = 0
ABSORBED = 1
FIRING_LIMIT = 2
NEGATIVE_PROPENSITY = 3
NEGATIVE_COUNT = 4
NON_FINITE = 5
CANCELLED = 6
NON_INTEGER_COUNT = 7
EVENT_LIMIT = 8
STEP_TOO_SMALL = 9
TRIGGER_UNRESOLVED = 10
BOUND_EXCEEDED = 11
EVENT_UNDEFINED = 12
NOTHING_HAPPENS = 13

#: Of a kernel that was asked to stop after a number of firings, or after NEVER; no outcome.
PAUSED = -1
NEVER = 2**62

# --- what a readout keeps -------------------------------------------------------------------------

VALUES = 0
WINDOWS = 1
INTERPOLATED = 2
FIRING_COUNTS = 3

# --- what becomes of assigned counts that are not whole, by the model's option `initial` ----------

STRICT = 0
ROUNDED = 1
RANDOMISED = 2

# --- who is at fault: a reaction by its number, or a part of an event -----------------------------

NO_FAULT = -1

#: Parts of an event whose value may be at fault, and how many there are.
TRIGGER = 0
DELAY = 1
PRIORITY = 2
VALUE = 3
EVENT_PARTS = 4

#: Faults of events count down from here.
FIRST_EVENT_FAULT = -2

# --- distributions, by the opcode of their row ----------------------------------------------------

NORMAL = DISTRIBUTIONS["normal"].opcode
UNIFORM = DISTRIBUTIONS["uniform"].opcode
EXPONENTIAL = DISTRIBUTIONS["exponential"].opcode
GAMMA = DISTRIBUTIONS["gamma"].opcode
POISSON = DISTRIBUTIONS["poisson"].opcode
LOGNORMAL = DISTRIBUTIONS["lognormal"].opcode
BINOMIAL = DISTRIBUTIONS["binomial"].opcode
BERNOULLI = DISTRIBUTIONS["bernoulli"].opcode
LAPLACE = DISTRIBUTIONS["laplace"].opcode
CAUCHY = DISTRIBUTIONS["cauchy"].opcode
CHISQUARE = DISTRIBUTIONS["chisquare"].opcode
RAYLEIGH = DISTRIBUTIONS["rayleigh"].opcode
FIRST_DISTRIBUTION = min(row.opcode for row in DISTRIBUTIONS.values())
LAST_DISTRIBUTION = max(row.opcode for row in DISTRIBUTIONS.values())

# --- when a kernel gives up -----------------------------------------------------------------------

#: Executions of events at one time after which events are held to trigger each other without end.
#: A cascade that is meant has as many as the model has events, or steps through a list of as many
#: entries; this many take less than a second.
MOST_AT_ONE_TIME = 100_000

#: Executions that may wait for their delays to pass at one time in one trajectory. Half a megabyte
#: an assignment; so many are a model that triggers faster than its delays pass, without end.
MOST_PENDING = 65_536

#: Looks ahead without a firing after which a trajectory is held to stand still. Each look is worth
#: a candidate firing, an event or a step of rate rules; this many take from seconds to a minute.
MOST_IDLE_ROUNDS = 2_000_000

#: Stretches of time that are searched for one change of a trigger. A change that is there is found
#: within a few hundred; beyond this many the trigger all but changes everywhere.
MOST_LOOKS_AT_TRIGGER = 200_000

#: Likewise for a propensity that turns negative. A law that touches 0 cannot be told from one that
#: turns negative by looking closer, and whatever is used of it is checked again.
MOST_LOOKS_AT_RATE = 1_000

#: Firings, or rounds of the kernel with a clock, between two looks at whether the user interrupts:
#: some ten thousand a second are more than enough, and each costs a read of shared memory.
FIRINGS_PER_LOOK = 1_024
ROUNDS_PER_LOOK = 256


def event_fault(event, part):
    """Return the fault of a part of an event, as a number (also in kernels)."""
    return FIRST_EVENT_FAULT - (EVENT_PARTS * event + part)


def part_at_fault(fault: int) -> tuple[int, int] | None:
    """Return (event, part) for the fault of an event, or None for that of a reaction or nobody."""
    if fault > FIRST_EVENT_FAULT:
        return None
    event, part = divmod(FIRST_EVENT_FAULT - fault, EVENT_PARTS)
    return event, part
