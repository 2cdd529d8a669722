"""Work over rows by the hundred thousand, without a look for circles among them: there are none."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def undisturbed() -> Iterator[None]:
    """To look for them again and again is a tenth of the time; it is done again as soon as this is over."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
