"""Figure 6: sweeps of an ion channel, fits to them, and what is written."""
