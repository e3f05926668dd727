"""Objectives: what a fit makes small, one file each.

`base` says what every objective offers. To add one, write a file with a frozen dataclass like
`mean_trajectory.MeanTrajectory`, and name it in `OBJECTIVES` of `objectives.base`.
"""
