"""A stage for the tests of vigie.yaml: the shipped example, and the example with one thing changed."""

from pathlib import Path

from bot.config import Reading, read_config

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "bot" / "vigie.example.yaml"
TEXT = EXAMPLE.read_text()


def reading(folder: Path, text: str | bytes) -> Reading:
    """What is read from a file that says `text`."""
    path = folder / "vigie.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_config(path)


def changed(old: str, new: str) -> str:
    """The example with one thing changed."""
    assert old in TEXT, f"the example no longer says {old!r}"
    return TEXT.replace(old, new, 1)


def line_with(text: str, words: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if words in line)
