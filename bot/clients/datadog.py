"""Datadog as far as the checks need it: are the keys good?"""

import asyncio
from collections.abc import Callable
from typing import Any

from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ForbiddenException, OpenApiException, UnauthorizedException
from datadog_api_client.v1.api.authentication_api import AuthenticationApi
from datadog_api_client.v1.api.monitors_api import MonitorsApi
from urllib3 import Retry
from urllib3.exceptions import HTTPError

from bot.errors import Unavailable

PATIENCE_S = 10


class Keys:
    """The two keys of one organisation's account; `url` is where Datadog is when it is not where it always is."""

    def __init__(self, api_key: str, app_key: str, site: str, url: str | None = None) -> None:
        self._options = Configuration(  # type: ignore[no-untyped-call]
            api_key={"apiKeyAuth": api_key, "appKeyAuth": app_key}, server_variables={"site": site},
            request_timeout=PATIENCE_S, retry_policy=Retry(0),
        )
        if url:
            self._options.host = url

    async def api_key_is_valid(self) -> bool:
        """Whether Datadog takes the API key on that site; raises Unavailable."""
        return await asyncio.to_thread(self._ask, _validate)

    async def app_key_is_valid(self) -> bool:
        """Whether the two together may read monitors, as every proof does; raises Unavailable."""
        return await asyncio.to_thread(self._ask, _read_monitors)

    def _ask(self, question: Callable[[ApiClient], bool]) -> bool:
        try:
            with ApiClient(self._options) as client:
                return question(client)
        except (ForbiddenException, UnauthorizedException):
            return False
        except (OpenApiException, HTTPError) as error:
            raise Unavailable(type(error).__name__) from error


def _validate(client: ApiClient) -> bool:
    answer: Any = AuthenticationApi(client).validate()  # type: ignore[no-untyped-call]
    return bool(answer.valid)


def _read_monitors(client: ApiClient) -> bool:
    MonitorsApi(client).list_monitors(page=0, page_size=1)  # type: ignore[no-untyped-call]
    return True
