"""The kinds of file that people write for Vigie: how each is shaped, and how it is spoken of."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bot.config.models import Config
from runbooks.model import Runbook

EXAMPLE = Path(__file__).parents[1] / "vigie.example.yaml"

FROM_EXAMPLE = f"Start from a copy of {EXAMPLE}, or name yours with VIGIE_CONFIG."
OF_VIGIE = "It starts with `workspace:`, `organisations:` ...; see vigie.example.yaml."
OF_RUNBOOK = "It starts with `name:`, `title:`, `owner:` ...; see the shipped runbooks."

UNREAD = "\0"
BLIND = "\0{index}"         # about no alert, and nobody's name: it must neither hide the others nor be found by them


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file must be, and what stands in for its parts that cannot be read, so that the rest is read too."""

    model: type[BaseModel]
    example: str                                    # where people see how it is written
    begins: str                                     # what is right for a file that is something else altogether
    missing: str                                    # what is right when there is no such file
    stand_ins: Mapping[str, Any]                    # for whole sections
    blind: Mapping[str, Mapping[str, Any]]          # for entries: they keep place and name, and do nothing


_NOTHING = {"name": BLIND, "when": {"name": BLIND}}

VIGIE = Kind(
    Config,
    example="vigie.example.yaml",
    begins=OF_VIGIE,
    missing=FROM_EXAMPLE,
    stand_ins={
        "workspace": "T00000000",
        "default_channel": "",
        "organisations": {},
        "people": {},
        "channels": {},
        "services": {},
        "endpoints": {},
    },
    blind={"rules": _NOTHING | {"important": False}, "symptoms": _NOTHING | {"service": BLIND}},
)
_STEP = {"name": "unread-{index}", "uses": ""}
RUNBOOK = Kind(
    Runbook,
    example="a shipped runbook",
    begins=OF_RUNBOOK,
    missing="Name another with VIGIE_RUNBOOKS.",
    stand_ins={"name": "unread", "title": "unread", "owner": "", "reviewed": "2000-01-01", "steps": [_STEP]},
    blind={"when": {"name": BLIND}, "parameters": {"from": UNREAD}, "steps": _STEP, "verify": _STEP},
)
