"""Families: every member speaks for itself, and two cannot have one name."""

import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

import commands
from bot import sources
from bot.clients.sns import Certificates
from bot.config import KNOWN_SOURCES, Endpoint, Topic
from bot.discover import discover
from bot.doubles import sns
from bot.errors import Misbuilt, Refused
from bot.services.leave.authority import ROLES
from bot.sources import Delivery, Document, Signal, Source
from commands import Command, Field

NOW = datetime(2026, 11, 22, 2, 14, tzinfo=UTC)
SECRET = "demo-secret"
SOURCES, COMMANDS = discover(sources, Source), discover(commands, Command)


class Notary:
    """Trust with the demo's certificate; a secret is its own reference."""

    def secret(self, reference: str) -> str:
        return reference

    async def certificate(self, url: str, at: datetime) -> RSAPublicKey:
        async with aiohttp.ClientSession() as session:
            return await Certificates(session, {sns.DEMO_CERTIFICATE_URL: sns.DEMO_CERTIFICATE}).key(url, at)

    async def confirm(self, topic_arn: str, token: str) -> None:
        raise AssertionError("nothing asked for a subscription")


def sent(source: Source, secret: str = SECRET) -> Delivery:
    """The source's own example as it would come over the wire."""
    body = json.dumps(source.example).encode()
    endpoint = Endpoint(source=source.name, organisation="bridge", secrets=(SECRET,))
    headers = {"x-vigie-secret": secret, "authorization": f"Bearer {secret}", "content-type": "application/json"}
    if source.name == "cloudwatch":
        signed = source.example
        if "Signature" not in signed:
            signed = sns.envelope(sns.DEMO_TOPIC, dict(source.example), now=NOW, message_id=sns.message_id_of("example"))
        body = json.dumps({**signed, **({} if secret == SECRET else {"Message": "forged"})}).encode()
        endpoint = Endpoint(source="cloudwatch", organisation="bridge", topics=(Topic(arn=sns.DEMO_TOPIC),))
    return Delivery("bridge-example", endpoint, body, headers, NOW)


def believed(source: Source, delivery: Delivery) -> Document:
    async def ask() -> Document:
        return await source.authenticate(delivery, Notary())

    return asyncio.run(ask())


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_every_source_reads_its_own_example(source: Source) -> None:
    delivery = sent(source)
    document = believed(source, delivery)
    assert document.unreadable is None
    signals = source.read(document.content, delivery)
    assert signals and all(isinstance(each, Signal) for each in signals)
    for each in signals:
        assert each.key and each.name and each.title and each.observer and each.at.tzinfo is not None


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_no_source_believes_a_stranger(source: Source) -> None:
    with pytest.raises(Refused) as caught:
        believed(source, sent(source, secret="guessed"))
    assert str(caught.value).endswith(".")


def test_the_configuration_knows_every_source() -> None:
    assert set(KNOWN_SOURCES) == set(SOURCES)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_every_command_is_whole(command: Command) -> None:
    assert command.help and command.example.split()[0] == command.name and command.level in ROLES
    assert len(command.button or "") <= 25 and not command.help.endswith(".")
    fixed = () if callable(command.form) else command.form
    names = [each.name for each in fixed]
    assert len(names) == len(set(names)) and all(isinstance(each, Field) for each in fixed)
    needed = [each.optional for each in fixed]
    assert needed == sorted(needed), "what may be left out comes last: the line has no names"
    assert bool(command.form) == ((command.button or "").endswith("…")), "a button that asks ends with …"


def family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **files: str) -> ModuleType:
    """A family folder with these files."""
    folder = tmp_path / f"family{len(sys.modules)}"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""A family."""\n')
    for name, content in files.items():
        (folder / f"{name}.py").write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    return __import__(folder.name)


MEMBER = 'from commands import command\n@command("{name}", help="h", example="{name}")\ndef run(call): return ""\n'


def test_a_taken_name_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    double = family(tmp_path, monkeypatch, one=MEMBER.format(name="ack"), two=MEMBER.format(name="ack"))
    with pytest.raises(Misbuilt, match="takes the name 'ack'"):
        discover(double, Command)


@pytest.mark.parametrize("content", ["", MEMBER.format(name="ack") + MEMBER.format(name="nack").replace("run", "walk")])
def test_a_file_holds_exactly_one_member(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    with pytest.raises(Misbuilt, match="exactly one Command"):
        discover(family(tmp_path, monkeypatch, one=content), Command)
