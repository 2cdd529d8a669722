"""What the extra `report` brings: looked for when it is needed, and used in processes of its own, which give memory back."""

import json
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from bot.errors import Misbuilt, Unavailable
from bot.review import N_

NOT_INSTALLED = N_("The review as {what} needs {module}, which is not installed. Install vigie[report]; JSON and CSV do without.")
NOT_MADE = N_("The review as {what} could not be made: {why}")
TOO_LONG = N_("not done within {seconds} s")
WITHIN_S = 120


def extra(module: str, what: str) -> ModuleType:
    """The module; raises Misbuilt naming what to install."""
    _need((module,), what)
    return import_module(module)


def apart(script: Path, asked: Any, modules: Sequence[str], what: str) -> bytes:
    """What a script beside this file makes of JSON. Raises Misbuilt without its modules, Unavailable if it fails."""
    _need(modules, what)
    try:
        command, given = [sys.executable, "-P", str(script)], json.dumps(asked).encode()
        done = subprocess.run(command, input=given, capture_output=True, timeout=WITHIN_S, check=True)
    except subprocess.TimeoutExpired as error:
        raise Unavailable(NOT_MADE.format(what=what, why=TOO_LONG.format(seconds=WITHIN_S))) from error
    except subprocess.CalledProcessError as error:
        why = error.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise Unavailable(NOT_MADE.format(what=what, why="".join(why))) from error
    return done.stdout


def _need(modules: Sequence[str], what: str) -> None:
    missing = [each for each in modules if find_spec(each) is None]
    if missing:
        raise Misbuilt(NOT_INSTALLED.format(what=what, module=missing[0]))
