"""Who is on: how days are cut among teams, whose turn it is, what was published, swapped and left open."""
