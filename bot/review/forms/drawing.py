"""Draws charts with altair, in a process of its own: JSON on standard input, pictures as JSON in base64 on standard output."""

import base64
import json
import sys
from typing import Any

import altair as alt
import vl_convert

WIDTH, HEIGHT, SCALE = 660, 220, 2
COLOURS = ["#1f5f99", "#d9822b", "#3f8f5f", "#8a4f9e", "#6b6f76", "#c43d57", "#2a9da5", "#a88b1d"]     # all 3:1 on white
INK, SOFT, RULE, FONT = "#1b1f24", "#4a5058", "#e3e6ea", "Liberation Sans, Arial, Helvetica, DejaVu Sans, sans-serif"
BAR = {"bars", "stacked"}
FEW_PLACES = 16                 # more labels along the bottom are thinned out
LONG_NAME, THICK = 14, 26       # bars with longer names lie down, so many points high each
MOST_TICKS = 5
LONGEST_LINE = 80               # letters of a title


def picture(chart: dict[str, Any], form: str) -> bytes:
    """One chart; in a PNG stands its title, elsewhere the page says it."""
    spec = spec_of(chart, titled=form == "png").to_dict()
    if form == "png":
        return vl_convert.vegalite_to_png(spec, scale=SCALE)
    return vl_convert.vegalite_to_svg(spec).encode()


def spec_of(chart: dict[str, Any], titled: bool) -> Any:
    points = chart["points"]
    places, series = list(dict.fromkeys(each[0] for each in points)), list(dict.fromkeys(each[1] for each in points))
    values = [
        {"across": place, "series": name, "value": value, "order": series.index(name)}
        for place, name, value in points if value or chart["mark"] not in BAR       # no bar for nought
    ]
    lying = chart["mark"] in BAR and len(places) <= FEW_PLACES and max(map(len, places)) > LONG_NAME
    axes = _lying(chart, places) if lying else _standing(chart, places)
    drawn = _mark(alt.Chart({"values": values}), chart["mark"]).encode(**axes, **_series(chart["mark"], series, lying))
    height = THICK * len(places) * (1 if chart["mark"] == "stacked" else len(series)) if lying else HEIGHT
    made = _dressed(drawn.properties(width=WIDTH, height=height, description=chart["alt"], background="#ffffff", padding=8))
    if titled:
        made = made.properties(title=alt.TitleParams(_wrapped(chart["title"]), anchor="start", fontSize=15, color=INK, offset=12))
    return made


def _mark(chart: alt.Chart, mark: str) -> Any:
    if mark in BAR:
        return chart.mark_bar(stroke="#ffffff", strokeWidth=0.7)
    return chart.mark_line(strokeWidth=2.5, point=mark == "line", interpolate="step-after" if mark == "steps" else "linear")


def _standing(chart: dict[str, Any], places: list[str]) -> dict[str, Any]:
    shown = places[:: -(-len(places) // FEW_PLACES)]
    upright = 0 if max(map(len, shown)) * len(shown) < 100 else -40
    axis = alt.Axis(values=shown, labelAngle=upright, title=chart["across"], labelOverlap=True, grid=False)
    scale = alt.Scale(domain=places, paddingInner=0.25, paddingOuter=0.15)
    return {"x": alt.X("across:N", sort=places, axis=axis, scale=scale), "y": alt.Y("value:Q", **_counted(chart))}


def _lying(chart: dict[str, Any], places: list[str]) -> dict[str, Any]:
    axis = alt.Axis(title=None, labelLimit=300, grid=False)
    scale = alt.Scale(domain=places, paddingInner=0.25, paddingOuter=0.15)
    return {"y": alt.Y("across:N", sort=places, axis=axis, scale=scale), "x": alt.X("value:Q", **_counted(chart))}


def _counted(chart: dict[str, Any]) -> dict[str, Any]:
    """Whole numbers are counted in whole numbers, and nought stands at the bottom."""
    values = [value for _, _, value in chart["points"]]
    few = max(values) <= MOST_TICKS and all(float(value).is_integer() for value in values)
    axis = alt.Axis(tickCount=max(1, int(max(values))) if few else MOST_TICKS, format="~r" if few else alt.Undefined)
    scale = alt.Undefined if any(values) else alt.Scale(domain=[0, 1])
    return {"title": chart["up"], "axis": axis, "scale": scale, "stack": chart["mark"] == "stacked" or None}


def _series(mark: str, series: list[str], lying: bool) -> dict[str, Any]:
    """Colours; in print, lines differ without them too."""
    several = len(series) > 1
    legend = alt.Legend(title=None, orient="top", symbolType="square" if mark in BAR else "stroke", symbolStrokeWidth=2.5)
    scale = alt.Scale(domain=series, range=COLOURS[: len(series)])
    encoding: dict[str, Any] = {"color": alt.Color("series:N", sort=series, scale=scale, legend=legend if several else None)}
    if mark == "bars" and several:
        beside = alt.YOffset if lying else alt.XOffset
        encoding["yOffset" if lying else "xOffset"] = beside("series:N", sort=series, scale=alt.Scale(domain=series))
    if mark in BAR:
        encoding["order"] = alt.Order("order:Q")
    elif several:
        encoding["strokeDash"] = alt.StrokeDash("series:N", sort=series, legend=None)
    return encoding


def _wrapped(title: str) -> list[str]:
    lines = [""]
    for word in title.replace(" %", "\u00a0%").split(" "):
        lines[-1:] = [f"{lines[-1]} {word}".strip()] if len(lines[-1]) + len(word) < LONGEST_LINE else [lines[-1], word]
    return lines


def _dressed(chart: Any) -> Any:
    return (
        chart.configure(font=FONT)
        .configure_axis(labelColor=SOFT, titleColor=SOFT, gridColor=RULE, domainColor="#9aa1a9", tickColor="#9aa1a9",
                        labelFontSize=11, titleFontSize=11, titleFontWeight="normal")
        .configure_view(stroke=None)
        .configure_legend(labelColor=INK, labelFontSize=12)
    )


def main() -> None:
    asked = json.load(sys.stdin)
    made = {each["name"]: base64.b64encode(picture(each, asked["form"])).decode() for each in asked["charts"]}
    json.dump(made, sys.stdout)


if __name__ == "__main__":
    main()
