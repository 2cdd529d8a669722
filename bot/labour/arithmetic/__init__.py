"""What the rules share: days and hours of a zone, stretches of time, nights, sums of weeks, words. No rule lies here."""
