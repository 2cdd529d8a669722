"""Which run is meant: by its number, or as the newest of an alert."""

import re
from collections.abc import Sequence

import sqlalchemy as sa

from bot.errors import Refused
from bot.services.alert import response
from bot.services.desk import Desk
from bot.services.run import runs
from bot.store import alerts
from bot.store import runs as rows
from bot.store.alerts import Alert
from bot.store.runs import Run

WHICH_RUN = "Which run? Say its number, for instance `{command} {verb} 57`; `{command} runbooks` lists what runs."
NEVER_RUN = "Nothing was ever run for {name}. `{command} run {id}` starts a runbook."

RUN, ALERT, NUMBER = r"run(\d{1,12})", r"#(\d{1,12})", r"(\d{1,12})"


def pick(desk: Desk, verb: str, ref: str | None, words: Sequence[str]) -> tuple[Run, tuple[str, ...]]:
    """The run that is meant, and the words that do not name it.

    `ref` is what a button or a thread names: a run (run57) or an alert (142). A number that somebody says is a run's; that
    of an alert, when there is no such run.
    """
    said = _joined(words)
    if ref and re.fullmatch(RUN, ref):
        return runs.find(desk, ref), tuple(words)
    if said and (found := _said(desk, said[0], ref)):
        return found, said[1:]
    if ref is None:
        raise Refused(WHICH_RUN.format(command=desk.config.command, verb=verb))
    return newest(desk, response.find(desk, ref)), tuple(words)


def _joined(words: Sequence[str]) -> tuple[str, ...]:
    """`run 57` is one word."""
    if len(words) > 1 and words[0].lower() == "run" and re.fullmatch(NUMBER, words[1]):
        return (f"run{words[1]}", *words[2:])
    return tuple(words)


def _said(desk: Desk, word: str, ref: str | None) -> Run | None:
    """In an alert's thread a bare number is a run only when that was run for this alert."""
    if re.fullmatch(RUN, word.lower()):
        return runs.find(desk, word)
    if re.fullmatch(ALERT, word):
        return newest(desk, response.find(desk, word))
    if not re.fullmatch(NUMBER, word):
        if ref is None:
            raise Refused(runs.UNKNOWN_RUN.format(ref=word[:40], command=desk.config.command))
        return None
    with desk.read() as connection:
        found, alert = rows.by_id(connection, int(word)), alerts.by_id(connection, int(word))
    if ref is not None:
        return found if found and found.group_id == response.find(desk, ref).group_id else None
    return newest(desk, alert) if alert and not found else runs.find(desk, word)


def newest(desk: Desk, alert: Alert) -> Run:
    """The run under way for the alert, or else its last; raises Refused when there was none."""
    with desk.read() as connection:
        under_way = _newest(connection, alert, rows.run.c.state.in_(rows.UNDER_WAY))
        found = under_way or _newest(connection, alert)
    if found is None:
        raise Refused(NEVER_RUN.format(name=alert.name, id=alert.id, command=desk.config.command))
    return found


def _newest(connection: sa.Connection, alert: Alert, *where: sa.ColumnElement[bool]) -> Run | None:
    found = rows.find(connection, rows.run.c.group_id == alert.group_id, *where, most=1)
    return found[0] if found else None
