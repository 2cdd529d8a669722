"""What the working-time rules say of a roster and of what was worked; interventions and monthly statements."""
