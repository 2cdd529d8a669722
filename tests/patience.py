"""How long tests wait for what must come: far longer than it takes, as a machine may be slow. When all is well, it is free."""

PATIENCE_S = 90.0
