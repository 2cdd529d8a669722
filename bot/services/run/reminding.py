"""Once a week, where reviews are read: the runbooks that nobody has read through for too long, and whose they are."""

from bot.config import Config, Entry, stale
from bot.config.catalogue import STALE_AFTER
from bot.services.desk import Desk
from bot.services.leave import duty, hours
from bot.services.slack.drawing import escape
from bot.store import cards

HEAD = "📚 Nobody has read {these} through for {days} days:"
ONE, SEVERAL = "this runbook", "these {count} runbooks"
LINE = "• *{title}* (`{name}`): {owner}, last on {day:%d %b %Y}"
MORE = "… and {count} more: `vigie check` names them all."
TAIL = "Read them, mend what is no longer true, and write the day into `reviewed` of the file."

MOST = 15


def remind(desk: Desk) -> bool:
    """Whether a reminder was written: at most one a week, and its channel sees it when the blackout is over. Safe to repeat."""
    now, channel = desk.clock.now(), desk.config.channels.get(desk.config.review_channel or "")
    own = next((key for key, each in desk.config.organisations.items() if each.kind == "own"), "")
    zone = desk.config.organisations[own].timezone if own else "UTC"
    today = hours.local_date(zone, now)
    late = stale(desk.catalogue, today)
    if not late or channel is None:
        return False
    key = f"stale:{today:%G-W%V}"
    with desk.read() as connection:
        if cards.by_key(connection, key) is not None:
            return False
    with desk.begin("remind") as connection:
        cards.add_notice(connection, key, channel, text(desk.config, late), now, duty.in_blackout(desk.config, own, now))
    return True


def text(config: Config, late: list[Entry]) -> str:
    """Oldest first."""
    these = ONE if len(late) == 1 else SEVERAL.format(count=len(late))
    lines = [
        LINE.format(title=escape(each.runbook.title), name=each.runbook.name, owner=_owner(config, each.runbook.owner),
                    day=each.runbook.reviewed)
        for each in late[:MOST]
    ]
    more = [MORE.format(count=len(late) - MOST)] if len(late) > MOST else []
    return "\n".join([HEAD.format(these=these, days=STALE_AFTER.days), *lines, *more, TAIL])


def _owner(config: Config, key: str) -> str:
    """Léa of Padok, or Bridge: an owner is a person or a company. Nobody is called for this."""
    person = config.people.get(key)
    if person is not None:
        return f"{escape(person.name)} of {escape(config.organisations[person.organisation].name)}"
    return escape(config.organisations[key].name) if key in config.organisations else escape(key)
