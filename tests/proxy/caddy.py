"""A real Caddy process with deploy/Caddyfile, in which only addresses and certificates are changed."""

from pathlib import Path

from tests.proxy.proxy_process import ProxyProcess

SAMPLE = Path(__file__).parents[2] / "deploy" / "Caddyfile"


class Caddy(ProxyProcess):
    """A Caddy in front of the Latchkey node on this port."""

    program = package = "caddy"

    def __init__(self, folder: Path, node: int) -> None:
        super().__init__(folder)
        sample = SAMPLE.read_text()
        for line, replacement in {
            "reverse_proxy 127.0.0.1:8000": f"reverse_proxy 127.0.0.1:{node}",
            "auto_https disable_redirects": "auto_https disable_redirects\n\tadmin off",
            "http://auth.example.com {": f"http://auth.example.com:{self.http} {{",
            "https://auth.example.com {": (
                f"https://auth.example.com:{self.https} {{\n\ttls {self.certificate} {folder}/key.pem"
            ),
        }.items():
            assert line in sample, line
            sample = sample.replace(f"\n{line}", f"\n{replacement}").replace(f"\t{line}", f"\t{replacement}")
        (folder / "Caddyfile").write_text(sample)

    def arguments(self) -> list[str]:
        return ["run", "--config", f"{self.folder}/Caddyfile", "--adapter", "caddyfile"]
