"""Who is on: how days are cut among teams, whose turn it is, what is published of it, and where it has gaps."""
