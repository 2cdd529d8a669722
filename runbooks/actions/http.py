"""HTTP from outside, as a customer would see it: an address that answers, a certificate that holds."""

import socket
import ssl
from datetime import UTC, datetime
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from runbooks.actions import MOST_SAID, Action, Answer, Look, Outcome, Params, Service, State, Unsure, World
from runbooks.aids import addresses

ASK = "would ask {url} until it answers {status} {times} times in a row"
ASK_FOR_TEXT = ASK + ", each time with the text “{contains}”"
ANSWERED = "{url} answered {status} in {took_ms} ms; {count} of {times} in a row"
WRONG_STATUS = "{url} answered {status} instead of {expected}"
NO_TEXT = "{url} answered {status} without the text “{contains}”"
SILENT = "{url} did not answer within {timeout_s:g} s"

READ_CERTIFICATE = "would read the certificate of {host}:{port}"
DAYS_LEFT = "the certificate of {host}:{port} holds {days} days more, until {until:%d %B %Y}; expected at least {at_least}"
NOT_TRUSTED = "the certificate of {host}:{port} is not to be trusted: {why}"
NO_CERTIFICATE = "{host}:{port} showed no certificate ({why})"

COUNT = "in_a_row"
PATIENCE_S = 5.0


class Probed(Params):
    """What is asked, and what it should answer."""

    url: Annotated[str, AfterValidator(addresses.url)] = Field(
        max_length=2000, description="https://pay.example.com/health; http only on this machine itself")
    status: int = Field(200, ge=100, le=599, description="The status that it must answer; redirects are not followed")
    contains: str | None = Field(None, min_length=1, max_length=500, description="Text that the beginning of the body must hold")
    times: int = Field(3, ge=1, le=20, description="So often in a row")
    timeout_s: float = Field(PATIENCE_S, ge=0.1, le=10, description="So many seconds at most for each answer")


class Probe(Action[Probed]):
    """Ask an address until it answers well several times in a row"""

    name = "http.probe"
    params = Probed
    example: ClassVar[State] = {"url": "https://pay.example.com/health", "status": 200, "contains": "ok", "times": 3}
    verified = "the expected status and text, so many times in a row; silence is not well"
    poll_s = 5.0

    def target(self, params: Probed) -> str:
        return f"host:{urlsplit(params.url).hostname}"

    def plan(self, params: Probed, before: State) -> str:
        return (ASK_FOR_TEXT if params.contains else ASK).format(**params.model_dump())

    def act(self, world: World, params: Probed, before: State) -> Outcome:
        """The first of the answers."""
        seen = self.look(world, params, before, {})
        return Outcome(seen.said, seen.outputs)

    def look(self, world: World, params: Probed, before: State, outputs: State) -> Look:
        """One more GET; how many went well before it stands in `outputs`."""
        _refuse_kept(params.url)
        try:
            answer = world.get(params.url, params.timeout_s)
        except Unsure:
            return Look("under way", SILENT.format(url=params.url, timeout_s=params.timeout_s), {COUNT: 0})
        values = {"status": answer.status, "took_ms": int(answer.took_s * 1000)}
        if wrong := _wrong(params, answer):
            return Look("under way", wrong, {**values, COUNT: 0})
        count = int(outputs.get(COUNT, 0)) + 1
        said = ANSWERED.format(url=params.url, count=count, times=params.times, **values)
        return Look("done" if count >= params.times else "under way", said, {**values, COUNT: count})


def _refuse_kept(url: str) -> None:
    parts = urlsplit(url)
    addresses.refuse_kept(str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80))


def _wrong(params: Probed, answer: Answer) -> str:
    if answer.status != params.status:
        return WRONG_STATUS.format(url=params.url, status=answer.status, expected=params.status)
    if params.contains is not None and params.contains not in answer.body:
        return NO_TEXT.format(url=params.url, status=answer.status, contains=params.contains)
    return ""


class Certified(Params):
    """Whose certificate, and how long it should hold."""

    host: Annotated[str, AfterValidator(addresses.checked_host)] = Field(description="pay.example.com")
    port: int = Field(443, ge=1, le=65535, description="Where it speaks TLS")
    at_least: int = Field(14, ge=0, le=3650, description="So many days it must hold from now on")


class Certificate(Action[Certified]):
    """See whether the certificate of a host is trusted, and for how many days more"""

    name = "http.certificate"
    params = Certified
    example: ClassVar[State] = {"host": "pay.example.com", "at_least": 14}
    verified = "the host shows a trusted certificate in its name that holds long enough"
    poll_s = 30.0

    def target(self, params: Certified) -> str:
        return f"host:{params.host}"

    def plan(self, params: Certified, before: State) -> str:
        return READ_CERTIFICATE.format(host=params.host, port=params.port)

    def act(self, world: World, params: Certified, before: State) -> Outcome:
        seen = self.look(world, params, before, {})
        return Outcome(seen.said, seen.outputs)

    def look(self, world: World, params: Certified, before: State, outputs: State) -> Look:
        addresses.refuse_kept(params.host, params.port)
        where = {"host": params.host, "port": params.port}
        try:
            until = _valid_until(params.host, params.port)
        except ssl.SSLCertVerificationError as error:
            return Look("under way", NOT_TRUSTED.format(why=error.verify_message, **where))
        except OSError as error:
            return Look("under way", NO_CERTIFICATE.format(why=str(error)[:MOST_SAID], **where))
        days = (until - world.now).days
        said = DAYS_LEFT.format(days=days, until=until, at_least=params.at_least, **where)
        return Look("done" if days >= params.at_least else "under way", said, {"days": days, "until": until.isoformat()})


def _valid_until(host: str, port: int) -> datetime:
    """Raises SSLCertVerificationError when it is not trusted, OSError when nobody shows one."""
    context = ssl.create_default_context()
    with (socket.create_connection((host, port), PATIENCE_S) as connection,
          context.wrap_socket(connection, server_hostname=host) as secured):
        shown = secured.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)


SERVICE = Service("http", (Probe(), Certificate()))
