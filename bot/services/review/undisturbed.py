"""Work over rows by the hundred thousand without the cyclic garbage collector: none of them stand in a circle."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def undisturbed() -> Iterator[None]:
    """To look for circles again and again is a tenth of the time; the collector is back as soon as this is over."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
