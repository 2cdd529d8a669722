"""What an error of AWS, Datadog or the network means for a step: refused, refused for now, or nobody knows."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)
from botocore.parsers import ResponseParserError
from datadog_api_client.exceptions import ApiException, OpenApiException
from urllib3.exceptions import ConnectTimeoutError as NotReached
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

from runbooks.actions import MOST_SAID, Failed, Unsure

THROTTLED = frozenset({
    "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
    "TooManyRequestsException", "RequestLimitExceeded", "PriorRequestNotComplete", "SlowDown", "BandwidthLimitExceeded",
    "ProvisionedThroughputExceededException", "TransactionInProgressException", "LimitExceededException",
})
BUSY = frozenset({
    "ScalingActivityInProgress", "ScalingActivityInProgressFault", "InvalidDBInstanceState", "WAFOptimisticLockException",
    "PreconditionFailed", "ResourceInUseException", "ConcurrentModificationException", "InvalidIfMatchVersion",
})
REFUSED_BY_AWS = "AWS refused: {code}: {message}"
REFUSED_BY_DATADOG = "Datadog refused: {status} {reason}"
NOT_SENT = "the call could not be made: {why}"
NOT_REACHED = "{who} was not reached ({why})"
NO_ANSWER = "{who} did not answer ({why})"

KNOWN = (BotoCoreError, ClientError, ResponseParserError, OpenApiException, HTTPError)      # answers that cannot be read, too
NEVER_SENT = (NoCredentialsError, PartialCredentialsError, ParamValidationError)


def told(error: Exception) -> Failed | Unsure:
    """The same error in our words. `Failed` only where it is certain that nothing was changed."""
    if isinstance(error, Failed | Unsure):
        return error
    if isinstance(error, ClientError):
        return _by_aws(error)
    if isinstance(error, ApiException):
        return _by_datadog(error)
    if isinstance(error, NEVER_SENT):
        return Failed(NOT_SENT.format(why=str(error)[:MOST_SAID]))
    if isinstance(error, EndpointConnectionError | ConnectTimeoutError):
        return Failed(NOT_REACHED.format(who="AWS", why=type(error).__name__), again=True)
    if isinstance(error, MaxRetryError) and isinstance(error.reason, NewConnectionError | NotReached):
        return Failed(NOT_REACHED.format(who="Datadog", why=type(error.reason).__name__), again=True)
    who = "AWS" if isinstance(error, BotoCoreError | ResponseParserError) else "Datadog"
    return Unsure(NO_ANSWER.format(who=who, why=type(error).__name__))


def _by_aws(error: ClientError) -> Failed | Unsure:
    code = str(error.response.get("Error", {}).get("Code", "unknown"))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    message = str(error.response.get("Error", {}).get("Message", ""))[:MOST_SAID]
    said = REFUSED_BY_AWS.format(code=code, message=message)
    if code in THROTTLED or code in BUSY:
        return Failed(said, again=True)
    return Unsure(said) if status >= 500 else Failed(said)


def _by_datadog(error: ApiException) -> Failed | Unsure:
    status = int(error.status or 0)
    said = REFUSED_BY_DATADOG.format(status=status, reason=error.reason)
    return Failed(said, again=status == 429) if 400 <= status < 500 else Unsure(said)
