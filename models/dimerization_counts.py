"""Synthetic measurements of the dimerization model: three replicates, for examples and tests.

Each replicate is the mean count of C over 200 exact trajectories of the dimerization model with its
own parameters, by sbmlgrad with seeds 1, 2 and 3, rounded to one decimal. A test makes them anew.
"""

from __future__ import annotations

NAME = "dimerization_counts"
SEEDS = (1, 2, 3)
TRAJECTORIES = 200
#: Columns with one name are replicates of one observable.
COLUMNS = ("time", "C", "C", "C")
#: Time in seconds, then one value a replicate.
ROWS = (
    (0, 0.0, 0.0, 0.0),
    (0.5, 28.6, 27.9, 28.1),
    (1, 40.5, 40.6, 40.8),
    (1.5, 46.3, 47.0, 47.0),
    (2, 49.7, 49.7, 49.9),
    (3, 52.5, 52.6, 52.4),
    (4, 53.2, 53.3, 53.1),
    (6, 53.4, 53.5, 53.6),
    (8, 53.4, 53.6, 53.1),
    (10, 53.3, 53.5, 53.6),
)


def csv_bytes() -> bytes:
    """Return the table as CSV: comma, line feed, ASCII."""
    return "".join(",".join(map(str, row)) + "\n" for row in (COLUMNS, *ROWS)).encode()
