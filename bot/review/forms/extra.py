"""What the extra `report` brings is imported when it is needed: without it Vigie watches as well as with it."""

from importlib import import_module
from types import ModuleType

from bot.errors import Misbuilt
from bot.review import N_

NOT_INSTALLED = N_("The review as {what} needs {module}, which is not installed. Install vigie[report]; JSON and CSV do without.")


def extra(module: str, what: str) -> ModuleType:
    """The module; raises Misbuilt naming what to install."""
    try:
        return import_module(module)
    except ImportError as error:
        raise Misbuilt(NOT_INSTALLED.format(what=what, module=module)) from error
