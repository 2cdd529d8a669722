"""The time limits of delegated regulation (EU) 2025/301, art. 5: initial, intermediate and final report. Pure."""

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.calendars import public_holidays

AFTER_CLASSIFIED, AFTER_AWARE, AFTER_INITIAL = timedelta(hours=4), timedelta(hours=24), timedelta(hours=72)
NOON, DAY, SATURDAY = time(12), timedelta(days=1), 5


@dataclass(frozen=True, slots=True)
class Office:
    """Whose days off count. `relief` (art. 5(4)): a limit on one moves to noon of the next working day."""

    zone: str = "Europe/Paris"
    holidays: str | None = "FR"
    relief: bool = False

    def works(self, day: date) -> bool:
        return day.weekday() < SATURDAY and not (self.holidays and day in public_holidays(self.holidays, day.year))

    def relieved(self, due: datetime) -> datetime:
        place = ZoneInfo(self.zone)
        day = due.astimezone(place).date()
        if not self.relief or self.works(day):
            return due
        while not self.works(day):
            day += DAY
        return datetime.combine(day, NOON, place).astimezone(UTC)


def initial(classified_at: datetime, aware_at: datetime | None, office: Office | None = None) -> datetime:
    """4 h from the classification as major and 24 h from awareness, both; classified later than that: 4 h (art. 5(2))."""
    due = classified_at + AFTER_CLASSIFIED
    if aware_at is not None and classified_at - aware_at <= AFTER_AWARE:
        due = min(due, aware_at + AFTER_AWARE)
    return (office or Office()).relieved(due)


def intermediate(initial_sent_at: datetime, office: Office | None = None) -> datetime:
    """72 h from the submission of the initial report, even when nothing changed."""
    return (office or Office()).relieved(initial_sent_at + AFTER_INITIAL)


def final(intermediate_sent_at: datetime, office: Office | None = None) -> datetime:
    """One month after the intermediate report, or after the newest of its updates."""
    known = office or Office()
    local = intermediate_sent_at.astimezone(ZoneInfo(known.zone))
    year, month = local.year + local.month // 12, local.month % 12 + 1
    day = min(local.day, calendar.monthrange(year, month)[1])
    return known.relieved(local.replace(year=year, month=month, day=day).astimezone(UTC))


def written(length: timedelta) -> str:
    """DD:HH:MM, as the template of 2025/302 wants lengths."""
    minutes = max(0, round(length.total_seconds() / 60))
    return f"{minutes // 1440:02}:{minutes // 60 % 24:02}:{minutes % 60:02}"
