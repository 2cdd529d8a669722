"""Alerts: how signals become them, what is decided about them, what people do with them, how they end."""
