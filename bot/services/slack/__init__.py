"""What Slack shows: cards, threads, questions; and how it gets there."""
