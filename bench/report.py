"""What was measured, as a table for people and as bench/results.json for machines."""

import json
import os
import platform
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).with_name("results.json")


def machine() -> dict[str, Any]:
    """Where and when; the load says how much others worked beside us."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"), "processors": os.cpu_count(),
        "python": platform.python_version(), "system": platform.platform(), "load_before": os.getloadavg()[0],
    }


def write(results: Mapping[str, Any], path: Path = RESULTS) -> None:
    path.write_text(json.dumps(results, indent=2) + "\n")


def show(results: Mapping[str, Mapping[str, Any]], console: Console | None = None) -> None:
    """One row a figure, one column a database."""
    databases = list(results)
    table = Table("scene", "figure", *databases)
    for scene in dict.fromkeys(name for each in results.values() for name in each):
        columns = [dict(_figures(results[name].get(scene, {}))) for name in databases]
        for figure in dict.fromkeys(name for each in columns for name in each):
            table.add_row(scene, figure, *(_written(each.get(figure)) for each in columns), end_section=False)
        table.add_section()
    (console or Console()).print(table)


def _figures(found: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Nested results as single figures: trouble.slack_hangs.per_second."""
    if isinstance(found, Mapping):
        for key, value in found.items():
            yield from _figures(value, f"{name}.{key}" if name else key)
    elif isinstance(found, list) and found and isinstance(found[0], Mapping):
        for number, value in enumerate(found):
            yield from _figures(value, f"{name}.{number}")
    else:
        yield name, found


def _written(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(_written, value))
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return "-" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
