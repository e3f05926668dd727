"""Figure 3: fits of a genetic oscillator, and what is written."""
