"""What can be wrong before the first alert, and what to set on the other side."""
