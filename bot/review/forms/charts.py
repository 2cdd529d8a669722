"""Charts as pictures, drawn in a process of their own: what draws them needs some 100 MB, which we give back at once."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from bot.errors import Misbuilt, Unavailable
from bot.review import N_, Chart, Review
from bot.review.forms import wording
from bot.review.forms.extra import NOT_INSTALLED

Format = Literal["png", "svg"]

DRAWING = Path(__file__).with_name("drawing.py")
WITHIN_S = 120
CHARTS, MODULES = N_("charts"), ("altair", "vl_convert")
NOT_DRAWN = N_("The charts could not be drawn: {why}")


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
    if missing := [each for each in MODULES if find_spec(each) is None]:
        raise Misbuilt(NOT_INSTALLED.format(what=CHARTS, module=missing[0]))
    asked = json.dumps({"form": form, "charts": [_plain(each) for each in charts]})
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(DRAWING)], input=asked, capture_output=True, text=True, timeout=WITHIN_S, check=True
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        last = str(error.stderr or error).strip().splitlines()[-1:]
        raise Unavailable(NOT_DRAWN.format(why="".join(last))) from error
    return tuple((name, base64.b64decode(picture)) for name, picture in json.loads(done.stdout).items())


def _plain(chart: Chart) -> dict[str, Any]:
    points = [(wording.place(across), series, value) for across, series, value in chart.points]
    return {**asdict(chart), "points": points}
