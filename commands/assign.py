"""Give an alert to somebody."""

import difflib
from datetime import datetime

from bot.config import Config
from bot.errors import Refused
from bot.services.alert import assigning, response
from bot.services.desk import Desk
from bot.services.leave import authority, blackout
from bot.store.alerts import Alert
from commands import Call, Field, command

ASSIGNED = "{name} is assigned to {who}."
TO_YOU = "{name} is assigned to you."
LATER = (
    "{who} is in {side}'s blackout until {at}; Vigie did not notify them and will at {at}: then {name} is theirs. "
    "On duty now: {on_duty}."
)
TO_WHOM = "To whom? Say a person of vigie.yaml, or me: `{command} assign {id} {example}`."
NOBODY = "Nobody of vigie.yaml is called \"{given}\". {hint}It knows {people}."
DID_YOU_MEAN = "Did you mean {name}? "
NOT_FOR_THEM = "{who} ({roles}) may not act on alerts; give it to {people}."
LONGEST_NAME = 4


@command(
    "assign",
    usage="<alert> <person> [note]",
    help="give an alert to somebody (or to `me`)",
    example="assign 142 @alice",
    button="Assign…",
    form=(Field("person", "To whom", kind="person"), Field("note", "Note", optional=True)),
)
def assign(call: Call) -> str:
    alert = call.alert()
    if not call.args:
        raise Refused(TO_WHOM.format(command=call.desk.config.command, id=alert.id, example=call.actor.key))
    key, note = _whom(call.desk.config, call.actor.key, call.rest)
    given = assigning.assign(call.desk, alert, call.actor, key, note=note)
    if given.until is not None:
        return _later(call.desk, alert, key, given.until)
    words = TO_YOU if key == call.actor.key else ASSIGNED
    return words.format(name=alert.name, who=response.called(call.desk, key))


def _later(desk: Desk, alert: Alert, key: str, until: datetime) -> str:
    side = desk.config.organisations[desk.config.people[key].organisation].name
    with desk.read() as connection:
        on_duty = blackout.on_duty(connection, desk.config, desk.clock.now(), alert.service)
    return LATER.format(
        who=response.called(desk, key), side=side, at=response.clock_time(until), name=alert.name, on_duty=on_duty,
    )


def _whom(config: Config, own: str, said: str) -> tuple[str, str]:
    """The key of the person whom the first words name, and what follows; the longest name that fits is meant."""
    words = said.split(" ")
    if words[0].lower() == "me":
        return own, " ".join(words[1:])
    for length in range(min(LONGEST_NAME, len(words)), 0, -1):
        if found := config.person_named(" ".join(words[:length])):
            key, person = found
            if not authority.may(person.roles, "act"):
                raise Refused(NOT_FOR_THEM.format(who=person.name, roles=", ".join(person.roles), people=_able(config)))
            return key, " ".join(words[length:])
    near = difflib.get_close_matches(words[0].lstrip("@").lower(), config.people, n=1)
    hint = DID_YOU_MEAN.format(name=near[0]) if near else ""
    raise Refused(NOBODY.format(given=words[0][:40], hint=hint, people=_able(config)))


def _able(config: Config) -> str:
    return ", ".join(key for key, person in config.people.items() if authority.may(person.roles, "act"))
