"""What became of each call: whether Slack shows it; and when somebody cannot be reached at all, the next is called at once."""

from datetime import datetime

import sqlalchemy as sa

from bot.services.desk import Actor, Desk
from bot.services.ledger import journal
from bot.store import cards, escalations
from bot.store.alerts import Alert
from bot.store.cards import Post
from bot.store.escalations import DOUBTFUL, DUE, FAILED, SEEN, SENT, Attempt

GIVEN_UP_AFTER = 3          # refusals or silences of Slack: it is tried on, but nobody waits for it
REACHED, UNDECIDED = (SENT, SEEN), (DUE, DOUBTFUL)


def act(desk: Desk, now: datetime) -> int:
    """Notes what Slack shows by now; returns how many attempts moved. Safe to repeat."""
    with desk.read() as connection:
        waiting = [(each, _post(connection, each)) for each in escalations.posted(connection)]
    news = [(each, post) for each, post in waiting if post and (post.ts or _given_up(each, post))]
    if not news:
        return 0
    with desk.begin("receipts") as connection:
        return sum(_note(connection, each, post, now) for each, post in news)


def _post(connection: sa.Connection, attempt: Attempt) -> Post | None:
    key = attempt.key if attempt.medium == "direct" else attempt.key.partition("/")[0]
    return cards.by_key(connection, key)


def _given_up(attempt: Attempt, post: Post) -> bool:
    return attempt.state == DUE and post.failure is not None and post.tries >= GIVEN_UP_AFTER


def _note(connection: sa.Connection, attempt: Attempt, post: Post, now: datetime) -> bool:
    if post.ts:
        return escalations.change(connection, attempt, state=SENT, sent_at=post.sent_at, due_at=None, why=None)
    moved = escalations.change(connection, attempt, state=FAILED, why=(post.failure or "")[:200])
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
