"""Hosts that speak TLS on loopback, with certificates of an authority that the test's system trusts."""

import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.patience import PATIENCE_S


@dataclass
class Authority:
    """A certificate authority of the test's own."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    folder: Path

    def issue(self, until: datetime, host: str = "127.0.0.1") -> tuple[Path, Path]:
        """A server's certificate and key, as files."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName(
            [x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)])
        made = signed(host, self.certificate.subject, key, self.key, until).add_extension(names, critical=False)
        chain, secret = self.folder / "server.pem", self.folder / "server.key"
        chain.write_bytes(made.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        secret.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return chain, secret


def signed(name: str, issuer: x509.Name, key: Any, by: Any, until: datetime) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    return (builder.not_valid_before(until - timedelta(days=4000)).not_valid_after(until)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    key, folder = ec.generate_private_key(ec.SECP256R1()), tmp_path_factory.mktemp("authority")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    made = (signed("authority", name, key, key, datetime.now(UTC) + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(True, None), critical=True).add_extension(usage, critical=True)
            .sign(key, hashes.SHA256()))
    (folder / "authority.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return Authority(key, made, folder)


@dataclass
class Hosts:
    """`hosts(left)` starts one whose certificate holds so long, and gives its port; `renew` gives it another."""

    authority: Authority
    sockets: dict[int, socket.socket] = field(default_factory=dict)
    shown: dict[int, ssl.SSLContext] = field(default_factory=dict)

    def __call__(self, left: timedelta, host: str = "127.0.0.1") -> int:
        server = socket.create_server(("127.0.0.1", 0))
        port = int(server.getsockname()[1])
        self.sockets[port] = server
        self.renew(port, left, host)
        threading.Thread(target=self.serve, args=(port,), daemon=True).start()
        return port

    def renew(self, port: int, left: timedelta, host: str = "127.0.0.1") -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.authority.issue(datetime.now(UTC) + left, host))
        self.shown[port] = context

    def serve(self, port: int) -> None:
        """Shakes hands with whoever comes, until the host is closed."""
        while True:
            try:
                connection, _ = self.sockets[port].accept()
            except OSError:
                return
            with connection:
                connection.settimeout(PATIENCE_S)
                try:
                    self.shown[port].wrap_socket(connection, server_side=True).close()
                except OSError:
                    continue

    def close(self) -> None:
        for each in self.sockets.values():
            each.close()


@pytest.fixture
def tls(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosts]:
    """Hosts whose authority the system trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.folder / "authority.pem"))
    hosts = Hosts(authority)
    yield hosts
    hosts.close()
