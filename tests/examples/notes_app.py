"""The example `examples/single-page-app`, started as its readers start it, and browsers that use it."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyotp
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from tests.postgres import free_port

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = REPOSITORY / "examples" / "single-page-app"
PASSWORD = "seven purple trains"
PHONE_AGENT = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5"
    " Mobile/15E148 Safari/604.1"
)
LAPTOP_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
expect.set_options(timeout=15_000)
START_SECONDS = 240
"""Seconds for the first start, which installs the TypeScript compiler and creates a database."""


class NotesApp:
    """The running example, with a data folder and ports of its own; what it prints is in a file."""

    def __init__(self, folder: Path) -> None:
        self.data, self.log = folder / "data", folder / "output.log"
        self.port, self.latchkey_port = free_port(), free_port()
        self.url, self.latchkey_url = f"http://localhost:{self.port}", f"http://localhost:{self.latchkey_port}"
        self.process: subprocess.Popen[bytes] | None = None

    def spawn(self, **environment: str) -> subprocess.Popen[bytes]:
        """Run the start script."""
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        with self.log.open("ab") as output:
            return subprocess.Popen(
                [
                    *(EXAMPLE / "start", "--data", self.data),
                    *("--port", str(self.port), "--latchkey-port", str(self.latchkey_port)),
                ],
                env=inherited | environment,
                stdout=output,
                stderr=output,
            )

    def start(self) -> "NotesApp":
        self.log.write_text("")
        self.process = self.spawn()
        self.wait_for(lambda: f"Notes is ready: {self.url}/" in self.log.read_text(), START_SECONDS)
        return self

    def stop(self) -> int:
        """Send what Ctrl-C sends; return the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)

    def wait_for(self, condition: Callable[[], object], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    def mailed_code(self, email: str) -> str:
        """Return the code in the newest mail to an address, out of the terminal."""
        return self._find_in_mail(email, r"Or type this code: (\S+)")

    def mailed_link(self, email: str) -> str:
        """Return the link in the newest mail to an address."""
        return self._find_in_mail(email, r"(http://localhost\S+)")

    def _find_in_mail(self, email: str, line: str) -> str:
        found: list[str] = []

        def has_arrived() -> bool:
            printed = self.log.read_text().replace("\r", "")
            found[:] = re.findall(rf"^To: {re.escape(email)}$.*?^{line}$", printed, re.DOTALL | re.MULTILINE)
            return bool(found)

        self.wait_for(has_arrived, 30)
        return found[-1]

    def latchkey(self, *command: str) -> str:
        """Run a latchkey command on the data of the example, as its page says."""
        done = subprocess.run(
            [REPOSITORY / ".venv" / "bin" / "latchkey", *command],
            env={"PATH": os.environ["PATH"], "LATCHKEY_DATA_DIR": str(self.data)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


class Device:
    """A browser with cookies of its own, at the example. It fails if a script does, or if the policy refuses one."""

    def __init__(self, app: NotesApp, browser: Browser, width: int = 1280, **options: Any) -> None:
        self.app = app
        agent = PHONE_AGENT if width < 600 else LAPTOP_AGENT
        self.context = browser.new_context(viewport={"width": width, "height": 800}, user_agent=agent, **options)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", self._on_console)
        self.page.on("request", self._on_request)
        self.page.goto(app.url)

    def _on_console(self, line: ConsoleMessage) -> None:
        if line.type == "error" and "Failed to load resource" not in line.text:  # an error status, which is shown
            self.problems.append(line.text)

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((self.app.url, self.app.latchkey_url, "data:")):
            self.problems.append(request.url)

    def shows(self, heading: str) -> None:
        expect(self.page.get_by_role("heading", level=1, name=heading, exact=True)).to_be_visible()

    def says(self, text: str) -> None:
        expect(self.page.locator("main")).to_contain_text(text)

    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label).fill(text)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name, exact=True).click()

    def sign_up(self, email: str) -> None:
        """Register, and confirm the address with the code out of the mail."""
        self.follow("Sign up")
        self.shows("Sign up")
        self.fill("E-mail address", email)
        self.fill("Password", PASSWORD)
        self.press("Create account")
        self.shows("Check your inbox")
        self.fill("Code from the mail", self.app.mailed_code(email))
        self.press("Confirm address")
        self.says("Your address is confirmed.")

    def give_password(self, email: str) -> None:
        self.shows("Sign in")
        self.fill("E-mail address", email)
        self.fill("Password", PASSWORD)
        self.press("Sign in")

    def sign_in(self, email: str) -> None:
        self.give_password(email)
        self.shows("Notes")
        self.says(f"Signed in as {email}")

    def add_note(self, text: str) -> None:
        self.fill("New note", text)
        self.press("Add note")
        expect(self.page.get_by_role("listitem").filter(has_text=text)).to_be_visible()

    def enrol_app(self) -> pyotp.TOTP:
        """Set up an authenticator app on the account page; return the app."""
        self.follow("Account")
        self.press("Set up an authenticator app")
        expect(self.page.get_by_role("img", name="QR code")).to_be_visible()
        secret = self.page.locator("[data-field=secret]").inner_text().replace(" ", "")
        app = pyotp.TOTP(secret)
        self.fill("Code that the app shows", app.now())
        self.press("Turn on")
        expect(self.page.locator("#recovery-codes li")).to_have_count(10)
        return app


def next_code(app: pyotp.TOTP) -> str:
    """Return the code of the step after this one: it was not used yet, and the server allows one step."""
    return app.at(time.time() + 30)
