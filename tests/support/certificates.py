"""Certificate authorities, and certificates of hosts, made for one test."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


class CertificateAuthority:
    """Somebody who signs certificates; whoever trusts `file` trusts them."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name, self.key = folder, name, ec.generate_private_key(ec.SECP256R1())
        itself = _certificate(name, name, self.key, self.key, x509.BasicConstraints(ca=True, path_length=0))
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(itself.public_bytes(Encoding.PEM))

    def server_context(self, address: str) -> ssl.SSLContext:
        """Return what a server at this address shows, and proves, to its clients."""
        key, kept = ec.generate_private_key(ec.SECP256R1()), self.folder / f"{self.name}-{address}.pem"
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        shown = _certificate(self.name, address, self.key, key, names).public_bytes(Encoding.PEM)
        kept.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + shown)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(kept)
        return context


def _certificate(
    issuer: str,
    subject: str,
    signing: ec.EllipticCurvePrivateKey,
    signed: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)]))
        .public_key(signed.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(extension, critical=False)
        .sign(signing, SHA256())
    )
