"""What a runbook reaches for must be in vigie.yaml: the account, a company's Datadog, the documents that may be started."""

from collections.abc import Iterator
from typing import Any

from bot.config.models import Config
from bot.config.remarks import Draft, Remark, Saying, hint
from bot.config.use_rules import Spot, spots, worlds
from runbooks.model import Runbook
from runbooks.references import fill

NO_AWS = Saying("{uses} acts on an AWS account, and vigie.yaml names none", "Add the section `aws` to vigie.yaml.")
ACCOUNT = Saying('vigie.yaml has no Datadog account of "{name}"', "{hint}")
DOCUMENT = Saying('"{name}" is not among the documents that vigie.yaml lets runbooks start', "{hint}")
ADD_DOCUMENT = "Add it to `aws.documents` when you have read it through."


def reach(draft: Draft) -> Iterator[Remark]:
    if draft.config is None:
        return
    for spot in spots(draft.runbook):
        if spot.use.uses in draft.actions:
            yield from _aws(spot, draft.runbook, draft.config)
            yield from _datadog(spot, draft.runbook, draft.config)


def _aws(spot: Spot, runbook: Runbook, config: Config) -> Iterator[Remark]:
    if not spot.use.uses.startswith("aws."):
        return
    if config.aws is None:
        yield NO_AWS.at(*spot.place, "uses", uses=spot.use.uses)
        return
    for name in _known(spot, "document", runbook):
        if name not in config.aws.documents:
            near = hint(str(name), config.aws.documents) if config.aws.documents else ADD_DOCUMENT
            yield DOCUMENT.at(*spot.place, "with", "document", name=name, hint=near)


def _datadog(spot: Spot, runbook: Runbook, config: Config) -> Iterator[Remark]:
    if not spot.use.uses.startswith("datadog."):
        return
    for name in _known(spot, "organisation", runbook):
        if name not in config.datadog:
            yield ACCOUNT.at(*spot.place, "with", "organisation", name=name, hint=hint(str(name), config.datadog))


def _known(spot: Spot, key: str, runbook: Runbook) -> Iterator[Any]:
    """The values that a part of `with` will have, as far as they can be known before the run."""
    content = spot.use.with_.get(key)
    for guesses in worlds(content, runbook) if isinstance(content, str) else ():
        if all(guess.certain == "value" for guess in guesses.values()):
            yield fill(content, {name: guess.value for name, guess in guesses.items()})
