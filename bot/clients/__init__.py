"""Whom we call: thin, without a rule of ours; what does not answer is Unavailable."""
