"""Datadog as far as the checks need it: is the API key good?"""

import asyncio

from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ApiException, ForbiddenException
from datadog_api_client.v1.api.authentication_api import AuthenticationApi
from urllib3.exceptions import HTTPError

from bot.errors import Unavailable


async def key_is_valid(key: str, site: str) -> bool:
    """Whether Datadog takes this API key on that site; raises Unavailable."""
    return await asyncio.to_thread(_validate, key, site)


def _validate(key: str, site: str) -> bool:
    options = Configuration(  # type: ignore[no-untyped-call]
        api_key={"apiKeyAuth": key}, server_variables={"site": site}, request_timeout=10
    )
    try:
        with ApiClient(options) as client:
            return bool(AuthenticationApi(client).validate().valid)  # type: ignore[no-untyped-call]
    except ForbiddenException:
        return False
    except (ApiException, HTTPError) as error:
        raise Unavailable(type(error).__name__) from error
