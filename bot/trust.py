"""What sources may ask while they authenticate: secrets, signing certificates, and to confirm a subscription."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from bot.clients.aws import SnsConfirmer
from bot.clients.sns import Certificates
from bot.config import Config
from bot.errors import Misbuilt
from bot.settings import Secrets


@dataclass(frozen=True, slots=True)
class TrustStore:
    """The Trust of bot.sources, on the real clients."""

    secrets: Secrets
    certificates: Certificates
    confirmer: SnsConfirmer

    def secret(self, reference: str) -> str:
        return self.secrets.get(reference)

    async def certificate(self, url: str, at: datetime) -> RSAPublicKey:
        return await self.certificates.key(url, at)

    async def confirm(self, topic_arn: str, token: str) -> None:
        await asyncio.to_thread(self.confirmer.confirm, topic_arn, token)


def endpoint_secrets(config: Config, secrets: Secrets) -> Mapping[str, str]:
    """Every secret that vigie.yaml refers to; raises Misbuilt naming all that are missing."""
    found, missing = {}, []
    for reference in sorted({each for endpoint in config.endpoints.values() for each in endpoint.secrets}):
        try:
            found[reference] = secrets.get(reference)
        except Misbuilt as fault:
            missing.append(str(fault))
    if missing:
        raise Misbuilt("\n".join(missing))
    return found
