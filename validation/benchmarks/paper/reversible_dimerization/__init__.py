"""Figure 2: fits of a reversible dimerisation, and what is written."""
