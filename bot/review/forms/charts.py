"""Charts as pictures: what draws them needs some 100 MB, so it does it in a process of its own."""

import base64
import json
from collections.abc import Iterable
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from bot.review import N_, Chart, Review
from bot.review.forms import wording
from bot.review.forms.extra import apart

Format = Literal["png", "svg"]

DRAWING = Path(__file__).with_name("drawing.py")
CHARTS, MODULES = N_("charts"), ("altair", "vl_convert")


def draw(charts: Iterable[Chart], form: Format) -> dict[str, bytes]:
    """Pictures by name; a chart without points has none. Raises Misbuilt without the extra `report`, Unavailable if it fails."""
    wanted = tuple(each for each in charts if each.points)
    return dict(_drawn(wanted, form)) if wanted else {}


def of(review: Review) -> tuple[Chart, ...]:
    """All charts of a review."""
    return tuple(each for section in review.sections for each in section.charts)


@lru_cache(maxsize=8)
def _drawn(charts: tuple[Chart, ...], form: Format) -> tuple[tuple[str, bytes], ...]:
    """A page that is looked at again is not drawn again."""
    drawn = json.loads(apart(DRAWING, {"form": form, "charts": [_plain(each) for each in charts]}, MODULES, CHARTS))
    return tuple((name, base64.b64decode(picture)) for name, picture in drawn.items())


def _plain(chart: Chart) -> dict[str, Any]:
    points = [(wording.place(across), series, value) for across, series, value in chart.points]
    return {**asdict(chart), "points": points}
