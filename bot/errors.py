"""Errors, named by who must react."""


class Refused(Exception):
    """The person (or sender) must do something else; the message says what would be right."""


class Unavailable(Exception):
    """Not now: somebody we depend on does not answer; try again after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Misbuilt(Exception):
    """We made a mistake; said at start, before anything is served."""
