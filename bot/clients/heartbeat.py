"""One GET of the address that waits for our heartbeat; it is a secret, so no error repeats it."""

import urllib3

from bot.errors import Unavailable

PATIENCE_S = 10.0

_pool = urllib3.PoolManager(num_pools=2, retries=False)


def ask(url: str) -> int:
    """The status; raises Unavailable. Safe to repeat."""
    try:
        return _pool.request("GET", url, timeout=PATIENCE_S, redirect=False).status
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        raise Unavailable(type(error).__name__) from error
