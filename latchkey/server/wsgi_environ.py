"""Convert an RSGI scope to a WSGI environ (PEP 3333)."""

import io
import sys
from typing import Any


def build_environ(scope: Any, body: bytes) -> dict[str, Any]:
    """Return the WSGI environ of a request.

    Headers with an underscore in their name are dropped: X_Forwarded_For would overwrite X-Forwarded-For.
    """
    environ = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_PROTOCOL": "HTTP/1.1" if scope.http_version == "1.1" else "HTTP/1.0",
        "SERVER_NAME": scope.server.rpartition(":")[0].strip("[]"),
        "SERVER_PORT": scope.server.rpartition(":")[2],
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        if "_" not in name:
            key = f"HTTP_{name.upper().replace('-', '_')}"
            environ[key] = f"{environ[key]}{';' if name == 'cookie' else ','}{value}" if key in environ else value
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ
