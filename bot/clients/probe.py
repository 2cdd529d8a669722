"""One HTTP GET, as a probe sees an address: no redirects, no retries, a bounded body."""

import time

import urllib3

from runbooks.actions import Answer, Unsure

LARGEST = 65_536
NOBODY = "{url} does not answer ({why})"

_pool = urllib3.PoolManager(num_pools=10, retries=False)


def get(url: str, timeout_s: float) -> Answer:
    """What the address said; raises Unsure when it does not answer in time."""
    begun = time.monotonic()
    try:
        answer = _pool.request("GET", url, timeout=timeout_s, redirect=False, preload_content=False)
        body = answer.read(LARGEST, decode_content=True).decode("utf-8", "replace")
        answer.release_conn()
    except (urllib3.exceptions.HTTPError, UnicodeError) as error:
        raise Unsure(NOBODY.format(url=url.partition("?")[0][:200], why=type(error).__name__)) from error
    return Answer(answer.status, body, time.monotonic() - begun)
