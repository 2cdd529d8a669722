"""What must be true of a runbook as a whole: its name, its owner, what it recognises, its parameters, its proofs."""

from collections.abc import Callable, Iterator

from bot.config import parameter_rules, reach_rules, step_rules, use_rules
from bot.config.catalogue import STALE_AFTER
from bot.config.doors import KNOWN_SOURCES
from bot.config.models import UNKNOWN_SERVICE, Config
from bot.config.remarks import Draft, Place, Remark, Saying, hint
from runbooks.model import Runbook, When

FILE_NAME = Saying('the runbook is called "{name}" and its file {file}.yaml', "Call both the same.")
OWNER = Saying('"{name}" is neither an organisation nor a person of vigie.yaml', "{hint}")
REVIEWED_LATER = Saying("it says it was reviewed on {day}, and that day has not come", "Write the day somebody read it through.")
STALE = Saying(
    "nobody has reviewed it for {days} days", "Read it through, mend it, and write today's date.", warning=True
)
SERVICE = Saying('"{name}" is not in `services` of vigie.yaml', "{hint}")
SOURCE = Saying('no source is called "{name}"', "{hint}")
EVERY_ALERT = Saying(
    "this recognises every alert there is",
    "Say which: `service`, `name`, `labels`. `when: []` is for runs by hand.",
    warning=True,
)
NEVER_STARTED = Saying(
    "it may run by itself, and recognises no alert", "Give it a `when`, or `automation: click`.", warning=True
)
NO_PROOF = Saying(
    "it may run by itself and proves nothing", "What a machine may close it must prove: give it `verify`, or `automation: click`."
)
NOBODY_GIVES = Saying(
    "it may run by itself, and nobody would be there to give {name}", "Give the parameter a `default` or a `from`, or the "
    "runbook `automation: click`."
)
SECRET_LOCK = Saying("a lock is written down and shown, and {name} is secret", "Lock by something that may be read.")
NOT_FILLED = Saying("no value is filled in here", "Write plain words: ${{{{ }}}} works in `with` and `lock`.")


def head(draft: Draft) -> Iterator[Remark]:
    runbook = draft.runbook
    if runbook.name != draft.file:
        yield FILE_NAME.at("name", name=runbook.name, file=draft.file)
    if draft.config and not {runbook.owner} & {*draft.config.organisations, *draft.config.people}:
        known = [*draft.config.organisations, *draft.config.people]
        yield OWNER.at("owner", name=runbook.owner, hint=hint(runbook.owner, known))
    if draft.today is not None and runbook.reviewed > draft.today:
        yield REVIEWED_LATER.at("reviewed", day=runbook.reviewed)
    elif draft.today is not None and draft.today - runbook.reviewed > STALE_AFTER:
        yield STALE.at("reviewed", days=(draft.today - runbook.reviewed).days)


def recognition(draft: Draft) -> Iterator[Remark]:
    for index, when in enumerate(draft.runbook.when):
        if when == When():
            yield EVERY_ALERT.at("when", index)
        if draft.config:
            yield from _names(draft.config, when, ("when", index))


def _names(config: Config, when: When, place: Place) -> Iterator[Remark]:
    for index, name in enumerate(when.service):
        if name not in config.services and name != UNKNOWN_SERVICE:
            yield SERVICE.at(*place, "service", index, name=name, hint=hint(name, config.services))
    for index, name in enumerate(when.source):
        if name not in KNOWN_SOURCES:
            yield SOURCE.at(*place, "source", index, name=name, hint=hint(name, KNOWN_SOURCES))


def automation(draft: Draft) -> Iterator[Remark]:
    """What a machine may start must need nobody, and prove what it did."""
    runbook = draft.runbook
    if runbook.automation != "automatic":
        return
    if not runbook.when:
        yield NEVER_STARTED.at("automation")
    if not runbook.verify and any(use_rules.changes(step, draft.actions) for step in runbook.steps):
        yield NO_PROOF.at("automation")
    for name, parameter in runbook.parameters.items():
        if parameter.required:
            yield NOBODY_GIVES.at("parameters", name, name=name)


def lock(draft: Draft) -> Iterator[Remark]:
    runbook = draft.runbook
    if runbook.lock is None:
        return
    yield from use_rules.unknown(runbook.lock, ("lock",), runbook, frozenset())
    for name in use_rules.parameters_in(runbook.lock):
        if name in runbook.parameters and runbook.parameters[name].secret:
            yield SECRET_LOCK.at("lock", name=f"params.{name}")


def captions(draft: Draft) -> Iterator[Remark]:
    """Where people may hope for a value, and none comes."""
    for place, text in _captions(draft.runbook):
        if "${{" in text:
            yield NOT_FILLED.at(*place)


def _captions(runbook: Runbook) -> Iterator[tuple[Place, str]]:
    yield ("title",), runbook.title
    yield ("description",), runbook.description
    for index, step in enumerate(runbook.steps):
        yield ("steps", index, "title"), step.title
    for index, check in enumerate(runbook.verify):
        yield ("verify", index, "title"), check.title


RULES: tuple[Callable[[Draft], Iterator[Remark]], ...] = (
    head,
    recognition,
    automation,
    lock,
    captions,
    parameter_rules.parameters,
    parameter_rules.unused,
    step_rules.names,
    step_rules.ways,
    step_rules.ways_back,
    step_rules.signatures,
    use_rules.uses,
    reach_rules.reach,
)
