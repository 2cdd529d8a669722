"""The ways in which a review is shown: page, PDF, CSV, JSON, charts, a message in Slack."""
