"""Reminders of turns, a day before, and of shifts, an hour before: in waking hours, each once, and only to who has them then."""

from datetime import timedelta

import sqlalchemy as sa

from bot.services.rota import reminding
from tests.duty_stage import PARIS, Life, life, paris


def reminded(here: Life, person: str) -> list[str]:
    return [each.split(" of ")[0] for each in here.told(person, "remind:")]


def test_a_day_engineer_is_reminded_in_the_morning_before_and_never_in_the_blackout(engine: sa.Engine) -> None:
    here = life(engine, "2026-11-22 07:59")             # Bruno, primary, 08:00 to 00:00
    reminding.act(here.desk)
    before = here.told("bruno", "remind:day")
    here.move("2026-11-22 08:01")
    reminding.act(here.desk)
    [said] = [each for each in here.told("bruno", "remind:day") if each not in before]
    assert "In a day: primary of platform, Mon 23 Nov 08:00–00:00" in said
    here.move("2026-11-25 22:59")
    reminding.act(here.desk)
    known = len(here.directs("bruno", "remind:hour"))
    here.move("2026-11-25 23:00")                       # 07:00 would be in the blackout: an hour before that begins
    reminding.act(here.desk)
    assert len(here.directs("bruno", "remind:hour")) == known + 1
    assert "Soon: primary of platform, Thu 26 Nov 08:00–00:00" in here.told("bruno", "remind:hour")[-1]


def test_whoever_begins_at_midnight_is_reminded_the_evening_before_and_an_hour_before(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-24 20:59")
    here.say("ines", "override platform primary 26/11 00:00 26/11 08:00 @ines training")
    with here.desk.read() as connection:
        due = {each.kind: each.due_at for each in reminding.reminders(connection, here.desk.config, here.clock.now())
               if each.slot.person == "ines" and each.slot.start == paris("2026-11-26 00:00")}
    assert due == {"day": paris("2026-11-24 21:00"), "hour": paris("2026-11-25 23:00")}


def test_whoever_is_on_every_day_is_told_the_day_before_only_when_the_turn_begins(sqlite_engine: sa.Engine) -> None:
    here, kinds = life(sqlite_engine, "2026-11-21 06:00"), {}
    for day in range(7):                                # Bruno is primary from Monday, 23 November, 08:00
        here.clock.instant = paris("2026-11-21 06:00") + timedelta(days=day)
        with here.desk.read() as connection:
            every = reminding.reminders(connection, here.desk.config, here.clock.now())
        kinds.update({(each.kind, each.slot.start): each for each in every
                      if (each.slot.person, each.slot.role) == ("bruno", "primary")})
    assert [start for kind, start in kinds if kind == "day"] == [paris("2026-11-23 08:00")]
    assert len([start for kind, start in kinds if kind == "hour"]) >= 5


def test_a_reminder_says_how_long_it_really_is_until_the_shift(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-22 21:00")      # Bruno's was due at 08:00
    reminding.act(here.desk)
    assert any("In 11 hours: primary of platform, Mon 23 Nov 08:00" in each for each in here.told("bruno", "remind:day"))


def test_each_reminder_is_said_once(engine: sa.Engine) -> None:
    here = life(engine, "2026-11-25 23:00")
    assert reminding.act(here.desk) > 0 and reminding.act(here.desk) == 0
    here.clock.advance(600)
    assert reminding.act(here.desk) == 0


def test_after_a_change_only_the_new_person_is_reminded(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-24 15:00")
    here.say("ines", "override platform primary 27/11 00:00 27/11 08:00 @ines training")
    here.move("2026-11-26 23:30")
    reminding.act(here.desk)
    assert any("Fri 27 Nov 00:00–08:00" in each for each in here.told("ines", "remind:hour"))
    assert not any("Fri 27 Nov" in each for each in here.told("omar", "remind:hour"))


def test_after_a_restart_what_is_late_is_said_and_what_is_over_is_journalled(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-25 23:40")      # down since before 23:00
    reminding.act(here.desk)
    assert here.told("omar", "remind:hour")[0].startswith("⏰ Late, Vigie was down. In 20 min: ")
    here.clock.instant += timedelta(days=1, minutes=40)
    reminding.act(here.desk)
    skipped = len(here.entries("reminder skipped"))
    assert skipped and reminding.act(here.desk) == 0 and len(here.entries("reminder skipped")) == skipped
    assert len([each for each in here.directs("omar", "remind:hour") if each.due_at == here.clock.now()]) == 0


def test_stretches_that_follow_each_other_are_one_shift(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-25 09:00")
    with here.desk.read() as connection:
        due = [each for each in reminding.reminders(connection, here.desk.config, here.clock.now())
               if each.slot.person == "bruno" and each.slot.start == paris("2026-11-26 20:00")]
    assert due == []                                    # the evening on call follows the active day


def test_no_reminder_is_ever_due_in_a_blackout(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-10-20 09:00", published_days=0)
    for day in range(12):                               # over the night when clocks go back
        here.clock.instant = paris("2026-10-20 09:00") + timedelta(days=day)
        with here.desk.read() as connection:
            for each in reminding.reminders(connection, here.desk.config, here.clock.now()):
                assert each.slot.organisation != "bridge" or each.due_at.astimezone(PARIS).hour >= 8, each
