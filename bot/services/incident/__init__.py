"""Incidents: declared, their impact, classified, the clocks of the regulator, timeline and post-mortem."""
