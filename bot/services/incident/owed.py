"""What time asks of incidents: reminders of what is owed, and of a bank's interface that nobody has declared."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.services.desk import Desk
from bot.services.incident import bank_api, reminding

ACTS: Mapping[str, Callable[[Desk], Any]] = {"reports owed": reminding.act, "bank interfaces": bank_api.act}
