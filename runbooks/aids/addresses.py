"""Which addresses a runbook may ask: https, or this machine itself; never what a cloud keeps for its machines alone."""

import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from runbooks.actions import Failed

BAD_URL = "write a whole address: https://pay.example.com/health"
NOT_SECURE = "only https is asked; plain http is for this machine itself (http://127.0.0.1)"
HAS_PERSON = "an address must not hold a name or a password"
BAD_HOST = "write a host's name: pay.example.com"
KEPT = "{host} is an address that the cloud keeps for its machines' own secrets: it is never asked"

HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")
NUMBERS_ONLY = re.compile(r"(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+))*\.?", re.IGNORECASE)      # 2852039166 is an address, too

# Instance metadata: AWS and most others (and the same through NAT64), AWS over IPv6, Alibaba, Azure, Oracle.
METADATA = tuple(ip_network(each) for each in (
    "169.254.0.0/16", "64:ff9b::a9fe:0/112", "fd00:ec2::/32", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32"))
METADATA_NAMES = ("metadata", "metadata.google.internal", "instance-data", "instance-data.ec2.internal")

Address = IPv4Address | IPv6Address


def url(given: str) -> str:
    """The same URL, when a runbook may ask it; raises ValueError with what would be right."""
    try:
        parts = urlsplit(given)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(BAD_URL) from None
    if parts.scheme not in ("http", "https") or not host or re.search(r"[\s\\\x00-\x1f]", given):
        raise ValueError(BAD_URL)
    if parts.username is not None or parts.password is not None:
        raise ValueError(HAS_PERSON)
    if parts.scheme == "http" and not _is_loopback(checked_host(host)):
        raise ValueError(NOT_SECURE)
    checked_host(host)
    return given


def checked_host(given: str) -> str:
    """The same host, when a runbook may ask it; raises ValueError."""
    address = _address(given)
    if address is None and (not HOST.fullmatch(given) or NUMBERS_ONLY.fullmatch(given)):
        raise ValueError(BAD_HOST)
    if given.lower().rstrip(".") in METADATA_NAMES or (address is not None and _is_kept(address)):
        raise ValueError(KEPT.format(host=given))
    return given


def refuse_kept(host: str, port: int) -> None:
    """Raises Failed when the name leads to an address that is never asked; a name that leads nowhere is no danger."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return
    for *_, target in found:
        address = _address(str(target[0]))
        if address is None or _is_kept(address):
            raise Failed(KEPT.format(host=f"{host} ({target[0]})"))


def _address(host: str) -> Address | None:
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _is_kept(address: Address) -> bool:
    plain = getattr(address, "ipv4_mapped", None) or address
    return (plain.is_link_local or plain.is_multicast or plain.is_unspecified
            or any(plain in network for network in METADATA if network.version == plain.version))


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback
