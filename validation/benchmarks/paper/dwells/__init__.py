"""Figure 6 on single-channel records: dwell times, their tests, and what is written."""
