"""Stop what Vigie does by itself."""

from bot.services.run import brakes
from commands import Call, Field, Fields, Subject, command

STOPPED = "Automation is stopped for {scope}: nothing of it begins by itself. `{command} resume-automation {word}` lets it go on."
EVERYTHING, ITS_NAME = "everything", "{name} (service)"


def scope_and_reason(call: Call) -> tuple[str, str]:
    """What is meant: what the first word names, else the service of the alert whose card or thread it is, else everything."""
    if call.ref is not None and not names_a_scope(call):
        return f"service:{call.alert().service}", " ".join(call.words)
    return (call.words[0] if call.words else EVERYTHING), " ".join(call.words[1:])


def names_a_scope(call: Call) -> bool:
    """In a thread somebody may mean more than its alert."""
    known = (EVERYTHING, *call.desk.config.services, *call.desk.catalogue.entries)
    return call.way == "mention" and bool(call.words) and call.words[0].lower() in known


def form(call: Call) -> Fields:
    reason = Field("reason", "Why", optional=True)
    if call.ref is not None or call.words:
        return (reason,)
    services = [(f"service:{name}", ITS_NAME.format(name=name)) for name in call.desk.config.services]
    books = [(f"runbook:{name}", each.runbook.title) for name, each in call.desk.catalogue.entries.items()]
    options = ((EVERYTHING, "Everything"), *services, *books)
    return (Field("what", "What", "choice", options=options), reason)


def subject(call: Call) -> Subject:
    if call.ref is None:
        return Subject("", "", None, call.words)
    return Subject("", call.alert().service, call.ref, call.words)


@command(
    "stop-automation",
    usage="[everything|service|runbook] [reason]",
    help="from now on Vigie does nothing of it by itself",
    example="stop-automation pay-api deploying until noon",
    level="write",
    button="Stop automation…",
    form=form,
    danger=True,
    subject=subject,
    group="runbooks",
)
def stop_automation(call: Call) -> str:
    scope, reason = scope_and_reason(call)
    switch = brakes.stop(call.desk, scope, call.actor, reason)
    word = switch.scope.rpartition(":")[2]
    return STOPPED.format(scope=brakes.spoken(switch.scope), command=call.desk.config.command, word=word)
