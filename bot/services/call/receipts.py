"""What became of each call: whether Slack shows it; and when somebody cannot be reached at all, the next is called at once."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.services import singly
from bot.services.desk import Actor, Desk
from bot.services.leave import duty
from bot.services.ledger import journal
from bot.store import cards, escalations
from bot.store.alerts import Alert
from bot.store.cards import Post
from bot.store.escalations import DOUBTFUL, DUE, FAILED, HELD_BACK, SEEN, SENT, Attempt

GIVEN_UP_AFTER = 3          # refusals or silences of Slack: it is tried on, but nobody waits for it
LOOKED_FOR = timedelta(hours=1)
SLEEPS, NOT_SHOWN = "their blackout began before Slack took it", "Slack does not show it"
REACHED, UNDECIDED = (SENT, SEEN), (DUE, DOUBTFUL)


def act(desk: Desk, now: datetime) -> int:
    """Notes what Slack shows by now; returns how many attempts moved. Safe to repeat."""
    with desk.read() as connection:
        waiting = [(each, _post(connection, each)) for each in escalations.posted(connection)]
    news = [(each, post) for each, post in waiting if post and (post.ts or _is_over(desk, each, post, now))]
    return singly.each("receipt", news, lambda one: _in_one(desk, *one, now))


def _in_one(desk: Desk, attempt: Attempt, post: Post, now: datetime) -> bool:
    with desk.begin("receipts") as connection:
        return _note(desk, connection, attempt, post, now)


def _post(connection: sa.Connection, attempt: Attempt) -> Post | None:
    key = attempt.key if attempt.medium == "direct" else attempt.key.partition("/")[0]
    return cards.by_key(connection, key)


def _is_over(desk: Desk, attempt: Attempt, post: Post, now: datetime) -> bool:
    """Whether nobody need wait for Slack: it refuses, the person sleeps by now, or too much time has gone by."""
    refused = attempt.state == DUE and post.failure is not None and post.tries >= GIVEN_UP_AFTER
    return refused or now - attempt.at > LOOKED_FOR or duty.asleep(desk.config, attempt.person, now) is not None


def _note(desk: Desk, connection: sa.Connection, attempt: Attempt, post: Post, now: datetime) -> bool:
    if duty.asleep(desk.config, attempt.person, post.sent_at if post.ts and post.sent_at else now) is not None:
        moved = escalations.change(connection, attempt, state=HELD_BACK, due_at=None, why=SLEEPS)   # hush.py kept it from them
    elif post.ts:
        return escalations.change(connection, attempt, state=SENT, sent_at=post.sent_at, due_at=None, why=None)
    else:
        tried_on = None if now - attempt.at > LOOKED_FOR else attempt.due_at
        moved = escalations.change(connection, attempt, state=FAILED, due_at=tried_on, why=(post.failure or NOT_SHOWN)[:200])
    if moved:
        failed(connection, attempt, now)
    return moved


def failed(connection: sa.Connection, attempt: Attempt, now: datetime) -> None:
    """Nobody waits for a person who cannot be reached by anything but a mention, which nobody may see."""
    same = escalations.of_escalation(connection, attempt.escalation_id)
    ways = [each for each in same if (each.level, each.person) == (attempt.level, attempt.person) and each.medium != "mention"]
    rung = [each for each in ways if each.medium != "direct"] or ways
    if not any(each.state in REACHED or (each.state in UNDECIDED and each.due_at is not None) for each in rung):
        escalations.hurry(connection, attempt.escalation_id, attempt.level, now)


def read(desk: Desk, alert: Alert, actor: Actor) -> None:
    """The person looked at the alert: the calls about it have reached them."""
    with desk.read() as connection:
        if not escalations.unread(connection, alert.group_id, actor.key):
            return
    with desk.begin("receipts") as connection:
        if escalations.seen(connection, alert.group_id, actor.key, desk.clock.now()):
            journal.record(connection, actor=actor, kind="call read", object=f"alert:{alert.id}", outcome="done",
                           at=desk.clock.now())
