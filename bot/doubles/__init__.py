"""AWS and Datadog as senders, for the demo, `vigie send` and the tests: what they post is what the real ones post."""
