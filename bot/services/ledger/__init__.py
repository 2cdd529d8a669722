"""The journal: written, sealed, proven."""
