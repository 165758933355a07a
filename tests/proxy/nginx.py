"""A real nginx process with deploy/nginx.conf, in which only addresses, certificates and paths are changed."""

import re
from pathlib import Path

from tests.proxy.proxy_process import ProxyProcess

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


class Nginx(ProxyProcess):
    """An nginx in front of the Latchkey nodes on these ports."""

    program, package = "nginx", "nginx-light"

    def __init__(self, folder: Path, *nodes: int) -> None:
        super().__init__(folder)
        self.acme = folder / "acme" / ".well-known" / "acme-challenge"
        self.acme.mkdir(parents=True)
        sample = SAMPLE.read_text()
        (node,) = re.findall(r"^    server 127\.0\.0\.1:8000 .*\n", sample, re.MULTILINE)
        for line, replacement in {
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
            sample = sample.replace(line, replacement)
        (folder / "latchkey.conf").write_text(sample)
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder))

    def arguments(self) -> list[str]:
        return ["-p", str(self.folder), "-c", f"{self.folder}/nginx.conf"]
