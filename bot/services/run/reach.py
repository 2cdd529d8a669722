"""What a run is about, as far as it is known before its first step: its service, the values it begins with, what it changes."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from bot.config.catalogue import Catalogue
from bot.config.models import UNKNOWN_SERVICE
from bot.store.alerts import Alert
from runbooks.model import Runbook, Step
from runbooks.references import Unknown, fill


def service_of(runbook: Runbook, alert: Alert | None) -> str:
    """The alert's service; without an alert, the first that the runbook is for."""
    if alert is not None:
        return alert.service
    return next((name for when in runbook.when for name in when.service), UNKNOWN_SERVICE)


def touched(runbook: Runbook, alert: Alert | None) -> str:
    """The service whose things it changes: the alert's where the runbook is for it, else its own, whatever alert is named."""
    meant = [when.service for when in runbook.when]
    fits = alert is not None and (not meant or any(not names or alert.service in names for names in meant))
    return service_of(runbook, alert if fits else None)


def values_of(parameters: Mapping[str, Any], alert: Alert | None) -> dict[str, Any]:
    """What `${{ }}` may name before the first step."""
    values = {f"params.{name}": value for name, value in parameters.items()}
    if alert is not None:
        values |= {"alert.service": alert.service, "alert.name": alert.labels.get("name", alert.title), "alert.id": alert.id}
        values |= {f"alert.label.{name}": value for name, value in alert.labels.items()}
    return values


def straight(runbook: Runbook) -> list[Step]:
    """The steps of a run in which all goes well."""
    last = next((number for number, step in enumerate(runbook.steps) if step.end), len(runbook.steps))
    return list(runbook.steps[: last + 1])


def changed(catalogue: Catalogue, runbook: Runbook, parameters: Mapping[str, Any], alert: Alert | None) -> tuple[str, ...]:
    """What its steps will change, where that does not depend on what an earlier step finds."""
    values = values_of(parameters, alert)
    found = (_target(catalogue, step, values) for step in runbook.steps)
    return tuple(dict.fromkeys(target for target in found if target is not None))


def _target(catalogue: Catalogue, step: Step, values: Mapping[str, Any]) -> str | None:
    action = catalogue.actions.get(step.uses)
    if action is None or not action.mutates:
        return None
    try:
        return action.target(action.params.model_validate(fill(step.with_, values)))
    except (Unknown, ValidationError):      # known only when the step begins: it is looked at again then
        return None
