"""One call is placed: a mention in the card's thread, a direct message, and for what is important every other way."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.services.alert.response import clock_time, headline
from bot.services.call import levels, wording
from bot.services.call.levels import NONE_YET, OWNER, Level, Policy
from bot.services.desk import VIGIE, Desk
from bot.services.leave import duty
from bot.services.leave.duty import Callee
from bot.services.ledger import journal
from bot.services.rota import roster
from bot.services.slack import hush
from bot.services.slack.drawing import escape
from bot.store import alerts, cards, escalations, handoffs, runs, shifts
from bot.store.alerts import Alert
from bot.store.escalations import CONTACT, Attempt, Escalation
from bot.store.runs import Run

NOBODY = "‼ *Nobody can be called* about {what}: everybody is in blackout, or nobody is on call. {why}"
DIRECT = "📣 You are called as {role}: {said}"
ACK, ESCALATE, WHY = "Acknowledge", "Escalate…", "Why?"
AGAIN_WITH_NOBODY = timedelta(minutes=1)
LONGEST_SAID = 2_600                    # of which somebody who asks for help may write 2,000


@dataclass(frozen=True, slots=True)
class Subject:
    """What a calling is about, as its rows say now."""

    alert: Alert | None
    run: Run | None

    @property
    def service(self) -> str:
        return self.alert.service if self.alert else self.run.service if self.run else ""

    @property
    def important(self) -> bool:
        return self.alert is not None and self.alert.important

    @property
    def object(self) -> str:
        return f"alert:{self.alert.id}" if self.alert else f"run:{self.run.id}" if self.run else "journal"

    def said(self, why: str) -> str:
        """What is wrong, and why somebody is called for it."""
        told = f"{self.alert.name} {headline(self.alert)}: {why}" if self.alert and not self.run else why
        return told[:LONGEST_SAID]

    def ring(self, desk: Desk) -> str:
        if self.alert:
            return wording.ring(desk.config, self.alert)
        return wording.ring_about_run(self.run.name, self.run.service) if self.run else ""


def subject(connection: sa.Connection, calling: Escalation) -> Subject:
    alert = alerts.by_id(connection, calling.alert_id) if calling.alert_id else None
    return Subject(alert, runs.by_id(connection, calling.run_id) if calling.run_id else None)


@dataclass(frozen=True, slots=True)
class Ladder:
    """Who can be called now about one thing, in which order, and who was."""

    about: Subject
    rules: Policy
    people: Sequence[Callee]
    before: Sequence[Attempt]
    relieves: str | None = None

    def after(self, number: int, also: Collection[str] = ()) -> Level | None:
        """What follows that step, for people who were not called before, nor had it, nor are one of `also`."""
        had_it = filter(None, [self.relieves, self.rules.first if number > NONE_YET else None])
        called = {*also, *had_it, *(each.person for each in self.before)}
        return levels.following(self.rules, number, self.people, called)

    @property
    def owner(self) -> str | None:
        """Who has it, and keeps it until somebody relieves them."""
        return self.about.alert.acked_by if self.about.alert and self.relieves else None


def ladder(desk: Desk, connection: sa.Connection, calling: Escalation, now: datetime) -> Ladder:
    about, rules = subject(connection, calling), levels.load(calling.policy)
    people, before = reachable(desk, connection, about.service, rules, now), mentions(connection, calling)
    return Ladder(about, rules, people, before, calling.relieves)


def go_on(desk: Desk, connection: sa.Connection, calling: Escalation, now: datetime) -> bool:
    """Calls whoever comes next, once; false if another process was first."""
    here = ladder(desk, connection, calling, now)
    level = here.after(calling.level)
    if level is None:
        return _with_nobody(desk, connection, calling, here.about, now)
    return climb(desk, connection, calling, here, _doubled(connection, calling, here, level, now), now)


def climb(desk: Desk, connection: sa.Connection, calling: Escalation, here: Ladder, level: Level, now: datetime) -> bool:
    """Calls the people of that step, and says when the next one is; false if another process was first."""
    upcoming = here.after(level.number, [each.person for each in level.people])
    due_at = now + levels.wait(here.rules, level.number, upcoming)
    late = "" if calling.held_until or calling.nobody_since else wording.late(calling.due_at, now)
    if not escalations.move(connection, calling, level=level.number, due_at=due_at, held_until=None, nobody_since=None):
        return False
    under = wording.under(desk.config, here.rules, here.before, upcoming, due_at, late, here.owner)
    _place(desk, connection, calling, here.about, level, under, now)
    return True


def reachable(desk: Desk, connection: sa.Connection, service: str, rules: Policy, now: datetime) -> list[Callee]:
    """Who may be called now and as what: shifts change, blackouts begin."""
    people = [each for each in duty.callees(connection, desk.config, now, service)
              if hush.asleep(desk.config, each.person, now) is None]
    if rules.first is None or not may_be_called(desk, connection, rules.first, now):
        return people
    return [Callee(rules.first, OWNER), *(each for each in people if each.person != rules.first)]


def may_be_called(desk: Desk, connection: sa.Connection, person: str, now: datetime) -> bool:
    """Whether somebody is here, and awake."""
    here = roster.employed(desk.config, person, now) and person not in shifts.leavers(connection)
    return here and hush.asleep(desk.config, person, now) is None


def mentions(connection: sa.Connection, calling: Escalation) -> list[Attempt]:
    """Who was called about it before: each call counts once, whatever its media."""
    return [each for each in escalations.of_escalation(connection, calling.id) if each.medium == "mention"]


def _doubled(connection: sa.Connection, calling: Escalation, here: Ladder, level: Level, now: datetime) -> Level:
    """While nobody has accepted the handoff, the secondary is called with the primary."""
    if levels.role_at(here.rules, level.number) != "primary" or unaccepted(connection, calling.coverage, now) is None:
        return level
    return Level(level.number, (*level.people, *(each for each in here.people if each.role == "secondary")))


def unaccepted(connection: sa.Connection, coverage: str | None, now: datetime) -> str | None:
    """What is said of a handoff that nobody has accepted yet."""
    pending = handoffs.pending(connection, coverage, now) if coverage else None
    return wording.HANDOFF.format(at=clock_time(pending.boundary)) if pending else None


def _place(
    desk: Desk, connection: sa.Connection, calling: Escalation, about: Subject, level: Level, under: str, now: datetime
) -> None:
    key = post_key(connection, calling, level.number)
    handoff = unaccepted(connection, calling.coverage, now) if len(level.people) > 1 else None
    under = f"{handoff} {under}" if handoff else under
    names = [each.person for each in level.people]
    said = about.said(calling.why)
    cards.add_page(connection, key, calling.channel, calling.group_id, names, said, now, under)
    for each in level.people:
        reach(desk, connection, calling, about, each, level.number, key, said, now, under)
        journal.record(connection, actor=VIGIE, kind="person called", object=about.object, outcome="done", at=now,
                       who=each.person, role=each.role, why=calling.why, run=calling.run_id)
    if calling.alert_id is not None:
        alerts.call(connection, calling.alert_id, now)
    show(connection, calling, now)


def post_key(connection: sa.Connection, calling: Escalation, number: int) -> str:
    """The first call has the key of its reason, each later one its number too."""
    return calling.key if cards.by_key(connection, calling.key) is None else f"{calling.key}:{number}"


def reach(
    desk: Desk, connection: sa.Connection, calling: Escalation, about: Subject, who: Callee, number: int, key: str, said: str,
    now: datetime, under: str = "", rings: bool = True,
) -> None:
    """Every way to reach one person, each an attempt of its own; what is not important rings nobody."""
    known = desk.config.people[who.person]
    told = DIRECT.format(role=who.role, said=f"{escape(said, LONGEST_SAID)} {under}".rstrip())
    cards.add_direct(connection, f"{key}/{who.person}/direct", known.slack, told, now, offers=_offers(about))
    media = ["mention", "direct", *(f"{CONTACT}{n}" for n in range(len(known.contacts)) if about.important and rings)]
    escalations.add_attempts(connection, [
        {
            "key": f"{key}/{who.person}/{medium}", "escalation_id": calling.id, "level": number, "group_id": calling.group_id,
            "person": who.person, "role": who.role, "medium": medium.rstrip("0123456789"), "at": now, "due_at": now,
            "contact": int(medium.removeprefix(CONTACT)) if medium.startswith(CONTACT) else None,
            "said": about.ring(desk) if medium.startswith(CONTACT) else said,
        }
        for medium in media
    ])


def _offers(about: Subject) -> list[tuple[str, str, str]]:
    if about.alert is None:
        return []
    number = str(about.alert.id)
    return [(ACK, "ack", number), (ESCALATE, "escalate", number), (WHY, "why", number)]


def _with_nobody(desk: Desk, connection: sa.Connection, calling: Escalation, about: Subject, now: datetime) -> bool:
    """Said loudly, where others will read it; and tried again each minute."""
    since = calling.nobody_since or now
    if not escalations.move(connection, calling, nobody_since=since, held_until=None, due_at=now + AGAIN_WITH_NOBODY):
        return False
    if calling.nobody_since is not None:
        return True
    if calling.level == NONE_YET:
        cards.add_page(connection, calling.key, calling.channel, calling.group_id, [], about.said(calling.why), now)
    said = NOBODY.format(what=escape(calling.key.split(":")[1]), why=escape(about.said(calling.why), LONGEST_SAID))
    review = desk.config.review_channel
    for name in dict.fromkeys([calling.channel, *([desk.config.channels[review]] if review else [])]):
        cards.add_notice(connection, f"nobody:{calling.key}:{name}", name, said, now)
    if calling.alert_id is not None:
        alerts.call(connection, calling.alert_id, now)
    journal.record(connection, actor=VIGIE, kind="person called", object=about.object, outcome="failed", at=now,
                   why=calling.why, run=calling.run_id)
    show(connection, calling, now)
    return True


def show(connection: sa.Connection, calling: Escalation, now: datetime) -> None:
    """The card says who is called next."""
    if calling.group_id is not None:
        cards.bump(connection, calling.group_id, now, urgency=1)
