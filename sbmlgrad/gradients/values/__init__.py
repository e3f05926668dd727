"""Value functions fitted to an ensemble, and the features that they are made of."""
