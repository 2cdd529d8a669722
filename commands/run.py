"""Run a runbook, or see what it would do."""

import re

from bot.errors import Refused
from bot.services.alert import response
from bot.services.leave.mandates import Wish
from bot.services.run import library, rehearsing, runs
from bot.services.slack import forms
from bot.services.slack.runcards import thing
from bot.store.alerts import Alert
from commands import Call, Field, Fields, Subject, command
from runbooks.model import Runbook

STARTED = "Run {id} is started: \"{title}\" on {target}. {where} shows each step; `{command} cancel {id}` ends it."
IN_THREAD, BY_ITSELF = "Its message in the thread of {name}", "Its message in the channel"
WHICH = "Which runbook? No runbook recognises {name}: `{command} run {id} <runbook>`; `{command} runbooks` lists them."
WHICH_AT_ALL = "Which runbook, or which alert? `{command} run 142`, `{command} run <runbook>`; `{command} runbooks` lists them."
NOTHING_ALLOWED = "There is no runbook that you may run now. `{command} runbooks` says who may run which."
ABOUT = "{title}{what}\n{steps}"
ON, STEP = ", for {name} ({service})", "{number}. {title}"
PLAN, START = "plan", "start"
YES = {PLAN: "See the plan", START: "Run it", "": "Go ahead"}       # the form asks which, if the line does not say
TO_DO = (("--start", "Start it now"), ("--plan", "Only say what each step would do now"))


def parse(call: Call) -> tuple[Alert | None, str, dict[str, str], str]:
    """The alert (if one is named), the runbook as it is called, the values, and whether it is to be done."""
    words = list(call.words)
    names_alert = call.ref is not None or (bool(words) and re.fullmatch(r"#?\d{1,12}", words[0]) is not None)
    alert = call.alert() if names_alert else None
    words = list(call.args) if names_alert else words
    does = words.pop().lstrip("-") if words and words[-1].lstrip("-") in (PLAN, START) else ""
    plain, given = forms.sort_out(words)
    return alert, " ".join(plain), given, does


def chosen(call: Call) -> tuple[Alert | None, Runbook | None, dict[str, str], str]:
    """The same, with the runbook that is named or that recognises the alert; None: it must be chosen first."""
    alert, name, given, does = parse(call)
    known = alert.runbook if alert and alert.runbook and call.desk.catalogue.runbook(alert.runbook) else ""
    runbook = library.named(call.desk, name or known) if name or known else None
    return alert, runbook, given, does


def form(call: Call) -> Fields:
    alert, runbook, given, does = chosen(call)
    if runbook is None:
        options = [(each.name, f"{each.title} ({each.name})") for each in library.runnable(call.desk, call.actor, alert)]
        if not options:
            raise Refused(NOTHING_ALLOWED.format(command=call.desk.config.command))
        return (Field("runbook", "Which runbook", "choice", options=tuple(options), leads_on=True),)
    library.demand(call.desk, call.actor, runbook, alert)
    runs.check(runbook, given)
    asked = forms.of_parameters(runbook, alert, given)
    return asked if does else (*asked, Field("do", "What to do", "choice", options=TO_DO, initial="--start"))


def subject(call: Call) -> Subject:
    alert, runbook, _, does = chosen(call)
    about = response.headline(alert) if alert else ""
    if runbook:
        steps = "\n".join(STEP.format(number=number, title=step.caption) for number, step in enumerate(runbook.steps, 1))
        what = ON.format(name=alert.name, service=alert.service) if alert else ""
        about = ABOUT.format(title=runbook.title, steps=steps, what=what)
    said = call.args if alert else call.words
    return Subject(alert.name if alert else "", about, str(alert.id) if alert else None, said, YES[does])


@command(
    "run",
    usage="<alert> [runbook] [name=value ...] [plan]",
    help="run the runbook that fits an alert, or one by its name; with `plan` only see what it would do",
    example="run 142 plan",
    button="Run runbook…",
    form=form,
    subject=subject,
    group="runbooks",
)
def run(call: Call) -> str:
    alert, runbook, given, does = chosen(call)
    slash = call.desk.config.command
    if runbook is None:
        words = WHICH.format(name=alert.name, id=alert.id, command=slash) if alert else WHICH_AT_ALL.format(command=slash)
        raise Refused(words)
    wish = Wish(runbook, call.actor, alert, given, "click" if call.way in ("button", "form") else "manual")
    if does == PLAN:
        return "\n".join(rehearsing.plan(call.desk, wish))
    made = runs.start(call.desk, wish)
    where = IN_THREAD.format(name=alert.name) if alert else BY_ITSELF
    return STARTED.format(id=made.id, title=made.title, target=thing(made), where=where, command=slash)
