"""Whether a policy of IAM allows an action on resources: what session policies need of its language, no more."""

import json
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from bot.doubles.aws.wire import Json, Refusal

VERSION = "2012-10-17"
TOLD = ("StringEquals", "StringLike", "ArnEquals", "ArnLike")

Facts = Mapping[str, str]       # what conditions may ask about: aws:RequestedRegion, aws:PrincipalTag/alert ...


def read(text: str) -> list[Json]:
    """The statements of a policy document; raises Refusal."""
    try:
        document = json.loads(text)
        statements: list[Json] = _many(document["Statement"])
        known = all(each["Effect"] in ("Allow", "Deny") and ("Action" in each or "NotAction" in each) for each in statements)
    except (ValueError, KeyError, TypeError):
        known = False
    if not known or document.get("Version") != VERSION:
        raise Refusal("MalformedPolicyDocument", "The policy is not in the valid JSON format.")
    return statements


def allows(statements: Iterable[Json], action: str, resources: Sequence[str] | None, facts: Facts) -> bool:
    """`resources` are those that the call touches: "*" where IAM knows none, nothing where we do not know them."""
    told = [each for each in statements if _on_action(each, action) and _under(each.get("Condition", {}), facts)]
    for resource in resources if resources is not None else [None]:
        met = [each["Effect"] for each in told if resource is None or _on_resource(each, resource)]
        if "Deny" in met or "Allow" not in met:
            return False
    return True


def _on_action(statement: Json, action: str) -> bool:
    asked, wanted = action.lower(), "Action" in statement
    patterns = _many(statement["Action" if wanted else "NotAction"])
    return any(fnmatchcase(asked, each.lower()) for each in patterns) == wanted


def _on_resource(statement: Json, resource: str) -> bool:
    if "NotResource" in statement:
        return not any(_like(resource, each) for each in _many(statement["NotResource"]))
    return any(_like(resource, each) for each in _many(statement.get("Resource", [])))


def _like(text: str, pattern: str) -> bool:
    """IAM knows * and ? only; a bracket stands for itself."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def _under(condition: Json, facts: Facts) -> bool:
    """All conditions hold; one that we do not understand holds never."""
    return all(
        operator in TOLD and key in facts and any(_like(facts[key], each) for each in _many(values))
        for operator, asked in condition.items() for key, values in asked.items()
    )


def _many(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]
