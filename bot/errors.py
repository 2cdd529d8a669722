"""Errors, named by who must react."""


class Refused(Exception):
    """The person (or sender) must do something else; the message says what would be right."""


class Unavailable(Exception):
    """Not now: somebody we depend on does not answer; try again after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Rejected(Exception):
    """Slack will never take this as it stands; `code` is Slack's own word (channel_not_found, invalid_blocks)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Misbuilt(Exception):
    """We made a mistake; said at start, before anything is served."""
