"""What the repeats of an alert have in common: source, name and labels, without the digits and ids that differ."""

import re
from collections.abc import Mapping

LONGEST = 300
OWN_LABELS = ("name", "value", "values", "timestamp", "at")      # the name stands apart; figures are no part of a pattern

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_IDS = re.compile(rf"{_UUID}|\b(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[0-9A-Za-z]{{8,}}\b")
_DIGITS = re.compile(r"\d+(?:[.,:]\d+)*")


def pattern(source: str, labels: Mapping[str, str]) -> str:
    """cloudwatch|pay-api-*xx|cluster=prod"""
    rest = (f"{key}={bare(value)}" for key, value in sorted(labels.items()) if key not in OWN_LABELS)
    return f"{source}|{bare(labels.get('name', ''))}|{','.join(rest)}"[:LONGEST]


def bare(text: str) -> str:
    """Without digits and ids: a star stands for each."""
    return _DIGITS.sub("*", _IDS.sub("*", text))
