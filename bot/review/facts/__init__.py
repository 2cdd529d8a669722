"""What a month is made of: everything that the sections of the review may know, read from our own rows as of one instant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.config import Config
from bot.review.facts.agreed import Decision, Judgement
from bot.review.facts.alerts import Echo, Group, Run, Silence, Source
from bot.review.facts.month import Month
from bot.review.facts.people import Handoff, Intervention, Page, Slot, Told
from bot.review.facts.platform import Incident, Maintenance, Measure, Notice
from bot.review.facts.trail import Trail

__all__ = [
    "Decision", "Echo", "Facts", "Group", "Handoff", "Incident", "Intervention", "Judgement", "Maintenance", "Measure", "Month",
    "Notice", "Page", "Past", "Run", "Silence", "Slot", "Source", "Told", "Trail",
]


@dataclass(frozen=True, slots=True)
class Past:
    """What an earlier month's review said of a figure, and by which version of its definition."""

    value: float | int | None
    definition: int


@dataclass(frozen=True, slots=True)
class Facts:
    """One month, as of `month.as_of`. Without more than a month and a configuration it is a month in which nothing was."""

    month: Month
    config: Config
    groups: Sequence[Group] = ()            # opened in the month; drills and agreed maintenance are not among them
    carried: Sequence[Group] = ()           # opened before it, and still open when it began
    drills: Sequence[Group] = ()            # opened in the month as drills or tests: counted apart
    maintained: Sequence[Group] = ()        # opened in the month under agreed maintenance: counted apart
    earlier: Sequence[Echo] = ()            # drills left out: every group of the month before; of the five before that the
                                            # first of each fingerprint and month
    runs: Sequence[Run] = ()                # begun in the month, or about one of its groups
    pages: Sequence[Page] = ()              # attempts to reach somebody in the month
    told: Sequence[Told] = ()               # what the journal has of breaches, waivers, broken glass, held back ...
    silences: Sequence[Silence] = ()        # that held in the month
    slots: Sequence[Slot] = ()              # who was on duty in which role; every minute of the month is in one
    handoffs: Sequence[Handoff] = ()        # whose boundary lies in the month
    interventions: Sequence[Intervention] = ()
    sources: Sequence[Source] = ()          # what each observer sent in the month
    decisions: Sequence[Decision] = ()      # all that were open in the month, or made or ended in it or after
    incidents: Sequence[Incident] = ()      # that touch the month, and those of the six months before it
    maintenance: Sequence[Maintenance] = () # agreed, touching the month
    measures: Sequence[Measure] = ()        # what was read from CloudWatch, Datadog and Cost Explorer for days of the month
    trail: Trail = field(default_factory=Trail)
    before: Mapping[str, Past] | None = None            # the figures of the month before; None: there is no earlier month
    volumes: Mapping[str, int] = field(default_factory=dict)    # groups opened, by month, of the three months before
    answers: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)   # kept by `arithmetic.once`
