"""Start script of the example: builds the TypeScript client, and runs Latchkey and the notes service until Ctrl-C.

All data is in one folder, `var` beside this file; delete it to begin again.
"""

import argparse
import errno
import os
import shutil
import signal
import socket
import subprocess  # noqa: TID251  # the ban is for the package latchkey
import sys
import time
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parent
REPOSITORY = EXAMPLE.parents[1]
TYPESCRIPT_CLIENT = REPOSITORY / "clients" / "typescript"
PYTHON_CLIENT = REPOSITORY / "clients" / "python" / "src"
LATCHKEY = str(Path(sys.executable).with_name("latchkey"))
START_TIMEOUT = 60
"""Seconds until a server has to listen."""
STOP_TIMEOUT = 10
"""Seconds until a server that was asked to stop is killed."""
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, `kill`, and a terminal that is closed."""


def parse_arguments() -> argparse.Namespace:
    """Return the options: two ports, and the folder of the data."""
    parser = argparse.ArgumentParser(prog="start", description="Run the example application until Ctrl-C.")
    parser.add_argument("--port", type=int, default=5173, help="port of the pages and the notes service (5173)")
    parser.add_argument("--latchkey-port", type=int, default=8000, help="port of Latchkey (8000)")
    parser.add_argument("--data", type=Path, default=EXAMPLE / "var", help="folder of the data (var beside this file)")
    return parser.parse_args()


def require_free_port(port: int, option: str) -> None:
    """End with a sentence if another program listens on the port of `localhost`, by IPv4 or IPv6."""
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((address, port))
        except (OSError, OverflowError) as error:
            if getattr(error, "errno", None) in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                continue  # this machine has no IPv6
            problem = "is taken" if getattr(error, "errno", None) == errno.EADDRINUSE else "cannot be used"
            sys.exit(f"start: port {port} {problem}. Choose another one with {option}.")


def build_typescript_client() -> None:
    """Compile clients/typescript into its folder dist, unless dist is newer than the source."""
    built = TYPESCRIPT_CLIENT / "dist" / "index.js"
    sources = [*TYPESCRIPT_CLIENT.glob("src/*.ts"), TYPESCRIPT_CLIENT / "package.json"]
    if built.exists() and built.stat().st_mtime >= max(source.stat().st_mtime for source in sources):
        return
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        sys.exit("start: Node.js 20 or newer with npm is needed once, to build clients/typescript. Install it first.")
    print("Building the TypeScript client (once) ...", flush=True)
    for command in (["ci", "--ignore-scripts", "--no-audit", "--no-fund"], ["run", "build"]):
        done = subprocess.run(  # noqa: S603
            [npm, *command], cwd=TYPESCRIPT_CLIENT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"start: 'npm {command[0]}' failed in clients/typescript:\n{done.stdout}{done.stderr}")
    built.touch()


def set_up(environment: dict[str, str], data: Path, page: str) -> str:
    """Prepare a new Latchkey, once; return the client secret of the notes service.

    The secret is what the service needs to call /oauth/introspect/ (RFC 7662). It is kept in a file of mode 0600.
    """
    secret_file = data / "notes-secret"
    if not secret_file.exists():
        print("Setting up Latchkey (once) ...", flush=True)
        done = subprocess.run(  # noqa: S603
            [sys.executable, EXAMPLE / "set_up.py", f"{page}/"],
            env=environment | {"DJANGO_SETTINGS_MODULE": "latchkey.settings"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"start: Latchkey could not be set up:\n{done.stdout}{done.stderr}")
        secret_file.touch(mode=0o600)
        secret_file.write_text(done.stdout.split()[-1])
    return secret_file.read_text()


def wait_until_listening(process: subprocess.Popen[bytes], port: int, name: str) -> None:
    """Return once a server accepts connections; end with a sentence if it has stopped, or after START_TIMEOUT."""
    deadline = time.monotonic() + START_TIMEOUT
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit(f"start: {name} did not start. Its messages are above.")


def stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """Stop the servers, the newest first, and wait for them; a second Ctrl-C is ignored meanwhile."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    for process in reversed(processes):
        process.terminate()
    for process in processes:
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()


def run(options: argparse.Namespace, processes: list[subprocess.Popen[bytes]]) -> None:
    """Start both servers, add them to `processes`, and print the address; exit when one of them ends."""
    require_free_port(options.port, "--port")
    require_free_port(options.latchkey_port, "--latchkey-port")
    build_typescript_client()

    # One host name for both: the cookie is SameSite=Strict, and ports do not count for a site.
    page, latchkey = f"http://localhost:{options.port}", f"http://localhost:{options.latchkey_port}"
    data = options.data.resolve()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("LATCHKEY_") and name not in ("DATABASE_URL", "EMAIL_URL")  # of another Latchkey
    }
    latchkey_environment = inherited | {
        "LATCHKEY_DATA_DIR": str(data),
        "LATCHKEY_PUBLIC_URL": latchkey,
        "LATCHKEY_CORS_ORIGINS": page,
        "LATCHKEY_PASSKEY_ORIGINS": f"{page},{latchkey}",
        "LATCHKEY_LOG_LEVEL": "warning",
        "PYTHONUNBUFFERED": "1",
    }
    service_environment = inherited | {
        "LATCHKEY_URL": latchkey,
        "LATCHKEY_CLIENT_ID": "notes",
        "LATCHKEY_CLIENT_SECRET": set_up(latchkey_environment, data, page),
        "NOTES_DATABASE": str(data / "notes.sqlite3"),
        "LATCHKEY_TYPESCRIPT_CLIENT": str(TYPESCRIPT_CLIENT / "dist"),
        "PYTHONPATH": str(PYTHON_CLIENT),
    }
    serve = [LATCHKEY, "serve", "--host", "127.0.0.1", "--port", str(options.latchkey_port), "--workers", "1"]
    uvicorn = [sys.executable, "-m", "uvicorn", "service:app", "--app-dir", str(EXAMPLE)]
    uvicorn += ["--host", "127.0.0.1", "--port", str(options.port), "--log-level", "warning"]

    # Process groups of their own: Ctrl-C reaches this process alone, which then stops them in order.
    processes.append(subprocess.Popen(serve, env=latchkey_environment, start_new_session=True))  # noqa: S603
    processes.append(subprocess.Popen(uvicorn, env=service_environment, start_new_session=True))  # noqa: S603
    wait_until_listening(processes[0], options.latchkey_port, "Latchkey")
    wait_until_listening(processes[1], options.port, "the notes service")
    print(
        f"\n  Notes is ready: {page}/\n\n"
        "  E-mails are printed here. Ctrl-C stops everything.\n"
        f"  Grant the role: LATCHKEY_DATA_DIR={data} {LATCHKEY} roles grant editor EMAIL\n",
        flush=True,
    )
    while all(process.poll() is None for process in processes):
        time.sleep(0.2)
    sys.exit("start: a process has ended; its messages are above.")


def main() -> None:
    """Run the example, and stop all of its processes on Ctrl-C or if one of them ends."""
    options = parse_arguments()
    processes: list[subprocess.Popen[bytes]] = []
    for number in STOP_SIGNALS:
        signal.signal(number, signal.default_int_handler)
    try:
        run(options, processes)
    except KeyboardInterrupt:
        print("\nStopping ...", flush=True)
    finally:
        stop(processes)


if __name__ == "__main__":
    main()
