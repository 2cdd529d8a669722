"""What sections share: shares, medians, stretches of time, definitions."""
