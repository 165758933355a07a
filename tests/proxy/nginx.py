"""A real nginx that runs deploy/nginx.conf, changed in the lines that its operator changes, on ports of its own."""

import datetime
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.deploy.production import HOST
from tests.postgres import free_port
from tests.wire.connection import Connection

SAMPLE = Path(__file__).parents[2] / "deploy" / "nginx.conf"
MAIN = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 4096; }}
http {{
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/unused;
    scgi_temp_path {folder}/unused;
    uwsgi_temp_path {folder}/unused;
    include {folder}/latchkey.conf;
}}
"""


class Nginx:
    """A proxy in front of the Latchkeys on these ports; its certificate is signed by itself."""

    def __init__(self, folder: Path, *nodes: int) -> None:
        self.folder, self.http, self.https = folder, free_port(), free_port()
        folder.mkdir(parents=True)
        self.acme = folder / "acme" / ".well-known" / "acme-challenge"
        self.acme.mkdir(parents=True)
        self.certificate = folder / "certificate.pem"
        certify(self.certificate, folder / "key.pem")
        sample = SAMPLE.read_text()
        (node,) = re.findall(r"^    server 127\.0\.0\.1:8000 .*\n", sample, re.MULTILINE)
        for line, ours in {
            node: "".join(node.replace("8000", str(port)) for port in nodes),
            "[::]:80": f"[::1]:{self.http}",
            "[::]:443": f"[::1]:{self.https}",
            "listen 80": f"listen 127.0.0.1:{self.http}",
            "listen 443": f"listen 127.0.0.1:{self.https}",
            "/etc/letsencrypt/live/auth.example.com/fullchain.pem": str(self.certificate),
            "/etc/letsencrypt/live/auth.example.com/privkey.pem": f"{folder}/key.pem",
            "/var/www/acme;": f"{folder}/acme;",
            "/var/log/nginx": str(folder),
        }.items():
            assert line in sample, line
            sample = sample.replace(line, ours)
        (folder / "latchkey.conf").write_text(sample)
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder))

    def start(self) -> "Nginx":
        program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        if program is None:
            pytest.fail("These tests need nginx: apt-get install nginx-light", pytrace=False)
        command = [program, "-p", str(self.folder), "-c", f"{self.folder}/nginx.conf"]
        log = self.folder / "output.log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            assert self.process.poll() is None, log.read_text()
            try:
                Connection(self.https).socket.close()
            except OSError:
                time.sleep(0.02)
            else:
                return self
        raise AssertionError(log.read_text())

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def certify(certificate: Path, key: Path) -> None:
    """Make a key, and a certificate for this day that it signs itself."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(hours=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
    certificate.write_bytes(builder.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key.write_bytes(private.private_bytes(pem, form, serialization.NoEncryption()))
