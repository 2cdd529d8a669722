"""Where did it come in? HTTP, Slack, time."""
