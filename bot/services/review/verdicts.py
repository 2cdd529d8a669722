"""What a closed alert was worth: either side says it with one click, and may say it anew; the newest of a side counts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.config import Config
from bot.errors import Refused
from bot.review.arithmetic.differing import Change
from bot.review.facts import Month
from bot.services.desk import Actor, Desk
from bot.services.leave import authority
from bot.services.ledger import journal
from bot.services.review import choosing, posting
from bot.store import alerts, cards, reviews
from bot.store import verdicts as rows
from bot.store.alerts import Alert

VERDICTS: Mapping[str, str] = {
    "useful": "Useful: somebody was needed", "noise": "Noise: nobody was needed", "duplicate": "Duplicate of another alert",
    "missing-runbook": "Missing runbook", "needs-fix": "Needs a fix: it will come again",
}
WHICH = "\"{given}\" is no verdict. Say one of: {known}."
STILL_OPEN = (
    "{name} is {state}: a verdict is about what is over. Close it first, or say it when it has closed; until then a note "
    "keeps what you think: `{command} note {id} <text>`."
)
SAME = "{name} has that verdict of {side} already, by {who}."


@dataclass(frozen=True, slots=True)
class Given:
    """What came of saying a verdict; `counts_in` is the month to whose review it belongs, `later` after that was sealed."""

    verdict: str
    changed_from: str | None
    month: str
    later: bool


def named(text: str) -> str:
    """The verdict that was meant; raises Refused with those that there are."""
    word = "-".join(text.lower().replace("_", " ").replace("-", " ").split())
    if word not in VERDICTS:
        raise Refused(WHICH.format(given=text[:40], known=", ".join(VERDICTS)))
    return word


def give(desk: Desk, actor: Actor, alert: Alert, text: str) -> Given:
    """About the whole group that shares the alert's card; raises Refused while it is open."""
    authority.require(desk.config, actor, "verdict", "write")
    word, now = named(text), desk.clock.now()
    with desk.begin("verdict") as connection:
        _require_over(desk, connection, alert)
        own = _of_side(connection, alert.group_id, actor.organisation)
        if own and own.verdict == word:
            raise Refused(SAME.format(
                name=alert.name, side=desk.config.organisations[actor.organisation].name, who=_name(desk.config, own.by),
            ))
        rows.add(
            connection, group_id=alert.group_id, alert_id=alert.id, verdict=word, by=actor.key, organisation=actor.organisation,
            at=now,
        )
        journal.record(
            connection, actor=actor, kind="verdict given", object=f"alert:{alert.id}", outcome="done", at=now, verdict=word,
            group=alert.group_id, was=own.verdict if own else None,
        )
        cards.bump(connection, alert.group_id, now, urgency=2)
        month = choosing.month_at(desk.config, _opened(connection, alert))
        posting.redraw_newest(connection, desk.config, month.name, now)
        kept = reviews.sealed(connection, month.name)
    return Given(word, own.verdict if own else None, month.name, kept is not None)


def require_over(desk: Desk, alert: Alert) -> None:
    """Raises Refused, and says what to do meanwhile, when anything on its card is open."""
    with desk.read() as connection:
        _require_over(desk, connection, alert)


def _require_over(desk: Desk, connection: sa.Connection, alert: Alert) -> None:
    still = [each for each in alerts.of_group(connection, alert.group_id) if each.state != "closed"]
    if still:
        first = next((each for each in still if each.id == alert.id), still[0])
        raise Refused(STILL_OPEN.format(name=first.name, state=first.state, command=desk.config.command, id=alert.id))


def _opened(connection: sa.Connection, alert: Alert) -> datetime:
    return min(each.opened_at for each in alerts.of_group(connection, alert.group_id))


def _of_side(connection: sa.Connection, group_id: int, organisation: str) -> rows.Verdict | None:
    return next((each for each in rows.newest(connection, [group_id]) if each.organisation == organisation), None)


def _name(config: Config, key: str) -> str:
    return config.people[key].name if key in config.people else key


def changed(connection: sa.Connection, month: Month, since: datetime, until: datetime) -> Iterator[Change]:
    """What was said of alerts of the month after `since`, and until then, otherwise than before."""
    before, after = (rows.known_at(connection, month.start, month.end, at) for at in (since, until))
    for number, word in after.items():
        if before.get(number) != word:
            yield Change("verdict", f"#{number}", f"#{number}", before.get(number), word)


# --- what is missing ------------------------------------------------------------------------------------------------------


def missing(connection: sa.Connection, month: Month) -> Sequence[int]:
    """Groups of the month that people handled, that are over, and about which nobody has said anything; oldest first."""
    return rows.missing(connection, month.start, month.end)


def next_ones(connection: sa.Connection, month: Month, most: int) -> list[Alert]:
    """The first alert of each of the next groups without a verdict."""
    return [alerts.of_group(connection, group_id)[0] for group_id in missing(connection, month)[:most]]
