"""Draws charts, in a process of its own: reads them as JSON on standard input, writes the pictures as JSON in base64."""

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
MOST_TICKS = 5


def picture(chart: dict[str, Any], form: str) -> bytes:
    """One chart; in a PNG stands its title, elsewhere the page says it."""
    spec = spec_of(chart, titled=form == "png").to_dict()
    if form == "png":
        return vl_convert.vegalite_to_png(spec, scale=SCALE)
    return vl_convert.vegalite_to_svg(spec).encode()


def spec_of(chart: dict[str, Any], titled: bool) -> Any:
    points = chart["points"]
    places, series = list(dict.fromkeys(each[0] for each in points)), list(dict.fromkeys(each[1] for each in points))
    values = [{"across": across, "series": name, "value": value, "order": series.index(name)} for across, name, value in points]
    drawn = _mark(alt.Chart({"values": values}), chart["mark"]).encode(**_encoding(chart, places, series))
    made = _dressed(drawn.properties(width=WIDTH, height=HEIGHT, description=chart["alt"], background="#ffffff", padding=8))
    if titled:
        made = made.properties(title=alt.TitleParams(_wrapped(chart["title"]), anchor="start", fontSize=15, color=INK, offset=12))
    return made


def _mark(chart: alt.Chart, mark: str) -> Any:
    if mark in BAR:
        return chart.mark_bar(stroke="#ffffff", strokeWidth=0.7)
    return chart.mark_line(strokeWidth=2.5, point=mark == "line", interpolate="step-after" if mark == "steps" else "linear")


def _encoding(chart: dict[str, Any], places: list[str], series: list[str]) -> dict[str, Any]:
    every = -(-len(places) // FEW_PLACES)
    shown = places[::every]
    axis = alt.Axis(values=shown, labelAngle=0 if max(map(len, shown)) * len(shown) < 90 else -40, title=chart["across"],
                    labelOverlap=True, grid=False)
    encoding = {
        "x": alt.X("across:N", sort=places, axis=axis, scale=alt.Scale(paddingInner=0.25, paddingOuter=0.15)),
        "y": alt.Y("value:Q", title=chart["up"], axis=_upright(points=chart["points"]), stack=chart["mark"] == "stacked" or None),
        "color": alt.Color("series:N", sort=series, scale=alt.Scale(domain=series, range=COLOURS[: len(series)]),
                           legend=_legend(chart["mark"]) if len(series) > 1 else None),
    }
    if chart["mark"] == "bars" and len(series) > 1:
        encoding["xOffset"] = alt.XOffset("series:N", sort=series)
    if chart["mark"] in BAR:
        encoding["order"] = alt.Order("order:Q")
    elif len(series) > 1:       # lines differ in print without colour too
        encoding["strokeDash"] = alt.StrokeDash("series:N", sort=series, legend=None)
    return encoding


def _legend(mark: str) -> alt.Legend:
    return alt.Legend(title=None, orient="top", symbolType="square" if mark in BAR else "stroke", symbolStrokeWidth=2.5)


def _upright(points: list[Any]) -> alt.Axis:
    """Whole numbers are counted in whole numbers."""
    most = max(value for _, _, value in points)
    few = most <= MOST_TICKS and all(float(value).is_integer() for _, _, value in points)
    return alt.Axis(tickCount=max(1, int(most)) if few else MOST_TICKS, format="~r" if few else alt.Undefined)


def _wrapped(title: str, width: int = 80) -> list[str]:
    lines = [""]
    for word in title.split():
        lines[-1:] = [f"{lines[-1]} {word}".strip()] if len(lines[-1]) + len(word) < width else [lines[-1], word]
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
