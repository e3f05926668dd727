"""Model → executable form: lowering, then one printer per target."""
