"""The catalogue of runbooks: data that says what to do about an alert."""
