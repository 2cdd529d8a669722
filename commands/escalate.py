"""Call the next level about an alert now."""

from bot.services.alert import response
from bot.services.call import escalating
from bot.services.desk import Desk
from bot.services.leave.clauses import listed
from bot.services.leave.duty import Callee
from commands import Call, Field, command

CALLED = "{who} {is_} called about {name} now (level {level}). {owner}{left_out}"
WHO = "{who} ({company}, {role})"
YOURS = "It stays yours until somebody acknowledges it."
THEIRS = "It stays {who}'s until somebody else acknowledges it."
NOBODYS = "Nobody has it yet."
REASON = "Why: whoever is called reads it"


@command(
    "escalate",
    usage="<alert> [reason]",
    help="call the next level about an alert now, without waiting for the timer",
    example="escalate 142 the failover did not help",
    button="Escalate…",
    form=(Field("reason", REASON, optional=True),),
)
def escalate(call: Call) -> str:
    done = escalating.escalate(call.desk, call.alert(), call.actor, call.rest)
    people = [_who(call.desk, each) for each in done.level.people]
    owner = YOURS if done.owner == call.actor.key else THEIRS if done.owner else NOBODYS
    return CALLED.format(
        who=listed(people, "and"), is_="are" if len(people) > 1 else "is", name=done.alert.name, level=done.level.number + 1,
        owner=owner.format(who=response.called(call.desk, done.owner)), left_out=done.left_out,
    )


def _who(desk: Desk, callee: Callee) -> str:
    company = desk.config.organisations[desk.config.people[callee.person].organisation].name
    return WHO.format(who=response.called(desk, callee.person), company=company, role=callee.role)
