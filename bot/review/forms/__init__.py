"""The ways in which a review is shown: page, PDF, CSV, JSON, charts, a message in Slack."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Signed:
    """One side's signature, as it is shown: names as people read them."""

    organisation: str
    person: str
    at: datetime
