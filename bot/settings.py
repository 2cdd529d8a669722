"""Secrets and switches from the environment: parsed once, frozen, all faults told at once."""

import base64
import binascii
import difflib
import hmac
import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Protocol
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from bot.errors import Misbuilt

# Each is said after the variable's name; none repeats the value, which may be a secret.
NOT_BOT = "holds {kind}, not a bot token. Copy the one that starts with xoxb- from the app's OAuth & Permissions."
NOT_APP = "holds {kind}, not an app-level token. Make one (xapp-, scope connections:write) in Basic Information."
NOT_SIGNING = "holds {kind}, not the signing secret. Copy that from Basic Information of the Slack app."
BAD_DATABASE = "is not the address of a database. As in sqlite:///vigie.db or postgresql://user:password@host/vigie."
OTHER_DATABASE = "names {backend}; Vigie knows sqlite and postgresql. As in postgresql://user:password@host/vigie."
OTHER_DRIVER = "names the driver {driver}; Vigie uses psycopg. Write postgresql://... without a driver."
NO_DRIVER = "names PostgreSQL, and its driver is not installed. Install vigie[postgres]."
IN_MEMORY = "names a database in memory, which a restart empties. Name a file: sqlite:///vigie.db."
BAD_URL = "is not an https address. As in https://slack.com/api/."
BAD_PORT = "is not a port. A number from 0 to 65535, as in 8080."
BAD_LEVEL = "is not a level. One of debug, info, warning, error."
BAD_SEED = "is not an Ed25519 seed. 32 bytes in base64: head -c 32 /dev/urandom | base64."
NO_FOLDER = "is not a folder. Name the one that holds your runbooks, or unset it for the shipped ones."

TWO_DATABASES = "VIGIE_MIGRATE_URL and DATABASE_URL name two kinds of database. Name the same one; only roles differ."
NO_BOT_TOKEN = "SLACK_BOT_TOKEN is not set. Copy the token that starts with xoxb- from the app's OAuth & Permissions."
NO_WAY_IN = "Neither SLACK_SIGNING_SECRET (Slack calls Vigie) nor SLACK_APP_TOKEN (Socket Mode) is set. Set one."
NO_SECRET = "{reference} is not set. Put the secret that vigie.yaml means by it into that environment variable."
NO_CLOUD = "{reference} is kept in AWS, and AWS is not asked here. Name an environment variable instead."
TYPING_MISTAKE = "{variable} is no variable of Vigie. Did you mean {near}?"
DEMO_SECRET = "{reference} holds a secret of the demo, which everybody knows. Put a real one there."
DEMO_KEY = "The demo's signing key is trusted, so anybody could send alarms. Only `vigie demo` may trust it."
DEMO_WORKSPACE = "The demo's Slack workspace is mounted: anybody could act as anybody. Only `vigie demo` may mount it."

TOKEN_KINDS = {
    "xoxb-": "a bot token (xoxb-)",
    "xapp-": "an app-level token (xapp-)",
    "xoxp-": "a user token (xoxp-)",
    "xoxe": "a rotating token (xoxe)",
    "xox": "another kind of token",
    "\"": "a text in quotes",
    "'": "a text in quotes",
}
NO_TOKEN = "something else"
DEMO_VALUES = ("demo-", "xoxb-demo-", "xapp-demo-")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SECRET_VARIABLES = "VIGIE_SECRET_"
LINKS = b"vigie: links to reports"      # so that what signs them signs nothing else


def _database(text: str) -> str:
    text = re.sub(r"^postgres(?:ql)?://", "postgresql+psycopg://", text)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError(BAD_DATABASE) from None
    backend, _, driver = url.drivername.partition("+")
    if backend not in ("sqlite", "postgresql"):
        raise ValueError(OTHER_DATABASE.format(backend=backend))
    if backend == "sqlite" and url.database in (None, "", ":memory:"):
        raise ValueError(IN_MEMORY)
    if backend == "postgresql" and driver != "psycopg":
        raise ValueError(OTHER_DRIVER.format(driver=driver))
    if backend == "postgresql" and importlib.util.find_spec("psycopg") is None:
        raise ValueError(NO_DRIVER)
    return text


def _kind(text: str) -> str | None:
    return next((kind for start, kind in TOKEN_KINDS.items() if text.startswith(start)), None)


def _bot_token(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not text.startswith("xoxb-"):
        raise ValueError(NOT_BOT.format(kind=_kind(text) or NO_TOKEN))
    return secret


def _app_token(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not text.startswith("xapp-"):
        raise ValueError(NOT_APP.format(kind=_kind(text) or NO_TOKEN))
    return secret


def _signing_secret(secret: SecretStr) -> SecretStr:
    kind = _kind(secret.get_secret_value())
    if kind:
        raise ValueError(NOT_SIGNING.format(kind=kind))
    return secret


def _api_url(text: str) -> str:
    parts = urlsplit(text)
    loopback = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not loopback and not (parts.scheme == "https" and parts.hostname):
        raise ValueError(BAD_URL)
    return text.rstrip("/") + "/"


def _port(text: str | int) -> int:
    digits = str(text)
    if not (digits.isascii() and digits.isdigit() and int(digits) <= 65535):
        raise ValueError(BAD_PORT)
    return int(digits)


def _level(text: str) -> str:
    if text.lower() not in ("debug", "info", "warning", "error"):
        raise ValueError(BAD_LEVEL)
    return text.lower()


def _seed(secret: SecretStr) -> SecretStr:
    try:
        seed = base64.b64decode(secret.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        seed = b""
    if len(seed) != 32:
        raise ValueError(BAD_SEED)
    return secret


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise ValueError(NO_FOLDER)
    return path


Database = Annotated[str, AfterValidator(_database)]
BotToken = Annotated[SecretStr, AfterValidator(_bot_token)]
AppToken = Annotated[SecretStr, AfterValidator(_app_token)]
SigningSecret = Annotated[SecretStr, AfterValidator(_signing_secret)]


class Settings(BaseSettings):
    """What the environment says. Addresses of databases hold passwords, so a repr shows neither them nor a secret."""

    model_config = SettingsConfigDict(frozen=True, hide_input_in_errors=True)

    database_url: Database = Field("sqlite:///vigie.db", alias="DATABASE_URL", repr=False)
    owner_url: Database | None = Field(None, alias="VIGIE_MIGRATE_URL", repr=False)
    config: Path = Field(Path("vigie.yaml"), alias="VIGIE_CONFIG")
    runbooks: Annotated[Path, AfterValidator(_folder)] | None = Field(None, alias="VIGIE_RUNBOOKS")
    slack_bot_token: BotToken | None = Field(None, alias="SLACK_BOT_TOKEN")
    slack_signing_secret: SigningSecret | None = Field(None, alias="SLACK_SIGNING_SECRET")
    slack_app_token: AppToken | None = Field(None, alias="SLACK_APP_TOKEN")
    slack_api_url: Annotated[str, AfterValidator(_api_url)] = Field("https://slack.com/api/", alias="SLACK_API_URL")
    port: Annotated[int, BeforeValidator(_port)] = Field(8080, alias="PORT")
    host: str = Field("127.0.0.1", alias="HOST")
    log_level: Annotated[str, AfterValidator(_level)] = Field("info", alias="LOG_LEVEL")
    seal_key: Annotated[SecretStr, AfterValidator(_seed)] | None = Field(None, alias="VIGIE_SEAL_KEY")

    @property
    def migrate_url(self) -> str:
        """The address for `vigie migrate`: the owner's role where there is one."""
        return self.owner_url or self.database_url

    @property
    def seal_seed(self) -> bytes | None:
        """The Ed25519 seed that signs the journal's seals."""
        return base64.b64decode(self.seal_key.get_secret_value()) if self.seal_key else None

    @property
    def link_key(self) -> bytes:
        """What signs links to reports: derived from a secret that every process of ours has; empty without one."""
        secret = self.slack_signing_secret or self.slack_bot_token
        return hmac.digest(secret.get_secret_value().encode(), LINKS, "sha256") if secret else b""

    @property
    def socket_mode(self) -> bool:
        """Whether Vigie calls Slack, instead of Slack calling Vigie."""
        return self.slack_app_token is not None

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_others: Any, **_more: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)     # the environment is an argument of load_settings; nothing is read behind its back


VARIABLES = tuple(field.alias or name for name, field in Settings.model_fields.items())


def load_settings(environ: Mapping[str, str]) -> Settings:
    """The settings; raises Misbuilt with one line a fault. An empty variable is one that is not set."""
    given = {name: environ[name].strip() for name in VARIABLES if environ.get(name, "").strip()}
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        raise Misbuilt("\n".join(map(_sentence, error.errors(include_url=False, include_input=False)))) from None
    if make_url(settings.migrate_url).get_backend_name() != make_url(settings.database_url).get_backend_name():
        raise Misbuilt(TWO_DATABASES)
    return settings


def _sentence(detail: ErrorDetails) -> str:
    return f"{detail['loc'][0]} {detail.get('ctx', {}).get('error', detail['msg'])}"


def slack_faults(settings: Settings) -> list[str]:
    """What is missing to work with Slack; nothing else needs these variables."""
    faults = [] if settings.slack_bot_token else [NO_BOT_TOKEN]
    return faults if settings.slack_signing_secret or settings.slack_app_token else [*faults, NO_WAY_IN]


def typing_mistakes(environ: Mapping[str, str]) -> list[str]:
    """Variables that look like ours and are not: VIGIE_RUNBOOK."""
    mistakes = []
    for variable in sorted(environ):
        ours = variable.startswith(("VIGIE_", "SLACK_")) and not variable.startswith(SECRET_VARIABLES)
        near = difflib.get_close_matches(variable, VARIABLES, n=1, cutoff=0.8)
        if ours and near and variable not in VARIABLES:
            mistakes.append(TYPING_MISTAKE.format(variable=variable, near=near[0]))
    return mistakes


def demo_faults(
    settings: Settings, secrets: Mapping[str, str], *, demo_key_trusted: bool = False, workspace_mounted: bool = False
) -> list[str]:
    """What belongs to the demo and must not serve anybody; `secrets` are the values behind vigie.yaml's references."""
    own = {
        "SLACK_BOT_TOKEN": settings.slack_bot_token,
        "SLACK_SIGNING_SECRET": settings.slack_signing_secret,
        "SLACK_APP_TOKEN": settings.slack_app_token,
    }
    values = {name: secret.get_secret_value() for name, secret in own.items() if secret} | dict(secrets)
    faults = [DEMO_SECRET.format(reference=name) for name, value in values.items() if value.startswith(DEMO_VALUES)]
    return faults + [DEMO_KEY] * demo_key_trusted + [DEMO_WORKSPACE] * workspace_mounted


def refuse_demo(settings: Settings, secrets: Mapping[str, str], **switches: bool) -> None:
    """Raises Misbuilt when `serve`, `web` or `worker` would run with what belongs to the demo (see `demo_faults`)."""
    faults = demo_faults(settings, secrets, **switches)
    if faults:
        raise Misbuilt("\n".join(faults))


class Secrets(Protocol):
    """Where secrets are kept."""

    def get(self, reference: str) -> str:
        """The secret behind a variable's name or an ARN; raises Misbuilt (none) or Unavailable (AWS is silent)."""


class EnvironmentSecrets:
    """Secrets in environment variables; those named by ARN are left to `cloud`."""

    def __init__(self, environ: Mapping[str, str], cloud: Secrets | None = None) -> None:
        self._environ, self._cloud = environ, cloud

    def get(self, reference: str) -> str:
        if reference.startswith("arn:"):
            return self._from_cloud(reference)
        value = self._environ.get(reference, "").strip()
        if not value:
            raise Misbuilt(NO_SECRET.format(reference=reference))
        return value

    def _from_cloud(self, arn: str) -> str:
        if self._cloud is None:
            raise Misbuilt(NO_CLOUD.format(reference=arn))
        return self._cloud.get(arn)
