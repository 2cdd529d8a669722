"""What steps see of the world: AWS as exactly the person who asked, each organisation's Datadog, plain HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from datadog_api_client import ApiClient, Configuration
from urllib3 import Retry

from bot.clients import probe
from bot.clients.roles import Guise, Sessions, session_name, session_policy
from bot.config import Aws, Config
from bot.errors import Misbuilt
from bot.ports import Clock
from bot.settings import Secrets
from runbooks.actions import Answer, Errand, Failed, Place, World

NO_AWS = "vigie.yaml has no section `aws`: add the account that runbooks act on"
NO_DATADOG = "vigie.yaml names no Datadog account of {organisation}: add it under `datadog`"
TOO_LATE = "not sent: the first change was ready to be sent only {late:.0f} s after it had to be"
DATADOG_TIMEOUT_S = 10
LOOKS = ("Describe", "Get", "List")
BY_ITSELF = "vigie"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where AWS and Datadog are, when they are not where they always are; for Datadog `{organisation}` is filled in."""

    aws: str | None = None
    datadog: str | None = None
    credentials: Mapping[str, str] | None = None


class CloudWorlds:
    """Makes worlds; keeps sessions while they are fresh."""

    def __init__(self, config: Config, secrets: Secrets, clock: Clock, addresses: Addresses | None = None) -> None:
        self._config, self._secrets, self._clock = config, secrets, clock
        self._addresses = addresses or Addresses()
        self._datadog: dict[str, ApiClient] = {}
        aws = config.aws
        self._sessions = Sessions(aws.region, self._addresses.aws, self._addresses.credentials) if aws else None

    @property
    def place(self) -> Place:
        aws = self._config.aws
        return Place(aws.account, aws.region) if aws else Place("000000000000", "eu-west-3")

    def world(self, errand: Errand) -> World:
        return CloudWorld(self, errand, InTime(self._clock, errand.until))

    def looking(self, reads: tuple[str, ...]) -> World:
        """For what Vigie looks at by itself, for no run and nobody's order."""
        return self.world(Errand(0, 0, BY_ITSELF, BY_ITSELF, None, self.now, acting=False, reads=reads))

    def secret(self, reference: str) -> str:
        return self._secrets.get(reference)

    @property
    def now(self) -> datetime:
        return self._clock.now()

    @property
    def allowed(self) -> Mapping[str, Sequence[str]]:
        aws = self._config.aws
        return {"documents": aws.documents, "addresses": aws.never_block} if aws else {}

    def aws(self, errand: Errand, service: str, region: str | None) -> Any:
        """A client under the errand's own role and policy; raises Failed (not configured) or Unavailable."""
        if self._sessions is None or self._config.aws is None:
            raise Failed(NO_AWS)
        guise = _guise(self._config.aws, errand, self._own_external_id)
        return self._sessions.client(guise, service, region, self.now)

    @property
    def _own_external_id(self) -> str | None:
        """For what Vigie does by itself: that of the platform's owner."""
        own = [key for key, each in self._config.organisations.items() if each.kind == "own"]
        return self._config.aws.external_ids.get(own[0]) if self._config.aws and own else None

    def datadog(self, organisation: str) -> ApiClient:
        """The client of that organisation's account, which never sends twice; raises Failed when there is none."""
        account = self._config.datadog.get(organisation)
        if account is None:
            raise Failed(NO_DATADOG.format(organisation=organisation))
        if organisation not in self._datadog:
            try:
                keys = {"apiKeyAuth": self.secret(account.api_key), "appKeyAuth": self.secret(account.app_key)}
            except Misbuilt as fault:
                raise Failed(str(fault)) from fault
            options = Configuration(  # type: ignore[no-untyped-call]
                api_key=keys, server_variables={"site": account.site}, request_timeout=DATADOG_TIMEOUT_S,
                retry_policy=Retry(0),      # its own pool would send again what was not answered
            )
            if self._addresses.datadog:
                options.host = self._addresses.datadog.format(organisation=organisation)
            self._datadog[organisation] = ApiClient(options)
        return self._datadog[organisation]


def _guise(aws: Aws, errand: Errand, own_external_id: str | None) -> Guise:
    role = aws.act_role if errand.acting else aws.read_role
    if role is None:
        return Guise(None, "vigie")
    writes = errand.actions if errand.acting else ()
    tags = {"run": str(errand.run), "organisation": errand.organisation}
    tags |= {"alert": str(errand.alert)} if errand.alert is not None else {}
    policy = session_policy(writes, errand.resources, errand.reads)
    external = aws.external_ids.get(errand.organisation) or own_external_id
    return Guise(role, session_name(errand.person, errand.run), tuple(sorted(tags.items())), external, policy)


class InTime:
    """Lets a first change go out only while its errand is fresh: we may have slept, and another process may have taken over.

    What belongs to it follows, however long that takes.
    """

    def __init__(self, clock: Clock, until: datetime | None) -> None:
        self._clock, self._until = clock, until

    def __call__(self, event_name: str = "", **_given: Any) -> None:
        """Right before a request is sent; raises Failed, and nothing was done."""
        if self._until is None or event_name.rpartition(".")[2].startswith(LOOKS):
            return
        late = (self._clock.now() - self._until).total_seconds()
        if late > 0:
            raise Failed(TOO_LATE.format(late=late), again=True)
        self._until = None


@dataclass(frozen=True, slots=True)
class CloudWorld:
    """One errand's world."""

    worlds: CloudWorlds
    errand: Errand
    in_time: InTime

    @property
    def now(self) -> datetime:
        return self.worlds.now

    @property
    def token(self) -> str:
        return str(uuid5(NAMESPACE_URL, f"vigie:run:{self.errand.run}:step:{self.errand.step}"))

    @property
    def label(self) -> str:
        return self.errand.label

    @property
    def place(self) -> Place:
        return self.worlds.place

    @property
    def allowed(self) -> Mapping[str, Sequence[str]]:
        return self.worlds.allowed

    def aws(self, service: str, region: str | None = None) -> Any:
        client = self.worlds.aws(self.errand, service, region)
        client.meta.events.register("before-send", self.in_time)
        return client

    def datadog(self, organisation: str) -> Any:
        self.in_time()      # its client has no place to look again right before it sends
        return self.worlds.datadog(organisation)

    def get(self, url: str, timeout_s: float) -> Answer:
        return probe.get(url, timeout_s)
