"""Run what no mandate allows: loudly, with a second yes, and reviewed afterwards."""

from bot.errors import Refused
from bot.services.leave import glass
from bot.services.leave.mandates import Wish
from bot.services.run import library
from bot.services.slack import forms
from bot.services.slack.runcards import thing
from commands import Call, Field, Fields, command

BROKEN = (
    "The glass is broken: run {id} \"{title}\" on {target} begins. Each step that changes something waits for the yes of a lead "
    "or approver; both companies are told."
)
WHAT = "Say what to run and why: `{command} break-glass {id} <runbook> <reason>`."


def form(call: Call) -> Fields:
    alert = call.alert()
    options = tuple((name, each.runbook.title) for name, each in call.desk.catalogue.entries.items())
    if not call.args:
        return (Field("runbook", "Which runbook", "choice", options=options, leads_on=True),)
    _, given = forms.sort_out(call.args)
    runbook = library.named(call.desk, call.args[0])
    why = Field("reason", "Why it cannot wait; both companies will read it")
    said = () if len([each for each in call.args if "=" not in each]) > 1 else (why,)
    return (*said, *forms.of_parameters(runbook, alert, given))


@command(
    "break-glass",
    usage="<alert> <runbook> <reason> [name=value ...]",
    help="run what no mandate allows you, for a reason that both companies will read",
    example="break-glass 142 rds-failover payments are down and nobody of Bridge may be called",
    level="read",
    button="Break glass…",
    form=form,
    danger=True,
    group="runbooks",
    roles=("engineer", "lead"),
)
def break_glass(call: Call) -> str:
    alert, (plain, given) = call.alert(), forms.sort_out(call.args)
    if not plain:
        raise Refused(WHAT.format(command=call.desk.config.command, id=alert.id))
    runbook = library.named(call.desk, plain[0])
    run = glass.break_glass(call.desk, Wish(runbook, call.actor, alert, given), call.actor, " ".join(plain[1:]))
    return BROKEN.format(id=run.id, title=run.title, target=thing(run))
