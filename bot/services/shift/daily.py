"""What time alone does to the rota: each of these is asked again and again what is due, and safe to repeat."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.services.desk import Desk
from bot.services.rota import reminding, watching
from bot.services.shift import leaving, publishing, swapping
from bot.services.worktime import breaches, interventions, statements

ACTS: Mapping[str, Callable[[Desk], Any]] = {
    "programmes": publishing.keep,
    "gaps": watching.look,
    "swaps": swapping.act,
    "leavers": leaving.act,
    "reminders": reminding.act,
    "interventions": interventions.act,
    "breaches": breaches.act,
    "statements": statements.act,
}
