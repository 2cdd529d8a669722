"""A small line chart as PNG, in a few lines: what GetMetricWidgetImage draws."""

import struct
import zlib
from collections.abc import Iterator, Sequence

Colour = tuple[int, int, int]
Points = Sequence[tuple[float, float]]          # seconds and values

WHITE, GREY, INK = (255, 255, 255), (228, 230, 233), (120, 126, 134)
LINES: tuple[Colour, ...] = ((31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189))
MARGIN = 12
GRID = 4


def png(series: Sequence[Points], width: int, height: int, limits: Sequence[float] = ()) -> bytes:
    """All series in one picture, with `limits` as level lines."""
    picture = [[WHITE] * width for _ in range(height)]
    for number in range(GRID + 1):
        level = MARGIN + number * (height - 2 * MARGIN - 1) // GRID
        _draw(picture, (MARGIN, level), (width - MARGIN - 1, level), GREY)
    _draw(picture, (MARGIN, MARGIN), (MARGIN, height - MARGIN - 1), INK)
    _draw(picture, (MARGIN, height - MARGIN - 1), (width - MARGIN - 1, height - MARGIN - 1), INK)
    place = _Scale([point for points in series for point in points], width, height, limits)
    for limit in limits:
        _draw(picture, (MARGIN, place.y(limit)), (width - MARGIN - 1, place.y(limit)), LINES[3])
    for number, points in enumerate(series):
        placed = [(place.x(at), place.y(value)) for at, value in points]
        for one, two in zip(placed, placed[1:] or placed, strict=False):
            _draw(picture, one, two, LINES[number % len(LINES)])
    return _encoded(picture)


class _Scale:
    """From seconds and values to dots; the lowest level is zero, unless something is below."""

    def __init__(self, points: Points, width: int, height: int, limits: Sequence[float]) -> None:
        times, values = [at for at, _ in points] or [0.0], [value for _, value in points] + list(limits) or [0.0]
        self.first, self.span = min(times), max(times) - min(times) or 1.0
        self.low = min(0.0, *values)
        self.rise = (max(values) - self.low) * 1.05 or 1.0
        self.width, self.height = width - 2 * MARGIN - 1, height - 2 * MARGIN - 1

    def x(self, at: float) -> int:
        return MARGIN + round((at - self.first) / self.span * self.width)

    def y(self, value: float) -> int:
        return MARGIN + self.height - round((value - self.low) / self.rise * self.height)


def _draw(picture: list[list[Colour]], one: tuple[int, int], two: tuple[int, int], colour: Colour) -> None:
    for x, y in _between(one, two):
        picture[y][x] = colour


def _between(one: tuple[int, int], two: tuple[int, int]) -> Iterator[tuple[int, int]]:
    steps = max(abs(two[0] - one[0]), abs(two[1] - one[1]), 1)
    for step in range(steps + 1):
        yield one[0] + (two[0] - one[0]) * step // steps, one[1] + (two[1] - one[1]) * step // steps


def _encoded(picture: list[list[Colour]]) -> bytes:
    rows = b"".join(b"\0" + bytes(part for dot in row for part in dot) for row in picture)
    head = struct.pack(">IIBBBBB", len(picture[0]), len(picture), 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
