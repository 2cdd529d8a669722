"""The month: its facts gathered, written, sealed, posted, signed; verdicts and decisions."""
