"""Who is told next: calls, how they escalate, by which media, silences, and who watches that no alert is forgotten."""
