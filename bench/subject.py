"""A system under test, with all that it has in a run: a database, servers, people."""

from pathlib import Path

from bench import doors, processes
from bench.database import Database
from bench.running import Running, Unable, run
from bench.sizes import Size
from bench.system import Person, System
from bench.wire import Wire
from tests.postgres import free_port

PASSWORD = "seven wild geese over the harbour"
FOLLOWERS, CHEAP = 8, 80
"""Who refreshes; and who signs in with the cheap hash, few times each, for a user has few devices."""


class Subject:
    """Two servers on one database: as it ships, and with a hash that costs nothing, where people of its own sign in."""

    def __init__(self, system: System, python: Path, database: Database, folder: Path, size: Size) -> None:
        self.system, self.python, self.database, self.folder = system, python, database, folder
        self.running: list[Running] = []
        self.followers, self.signers = people("follower", FOLLOWERS), people("signer", size.signers)
        self.cheap_signers = people("cheap", CHEAP)
        self.refresh, self.login = doors.refresh(system), doors.login(system)
        self.cheap_login = doors.login(system, "login without the hash")
        folder.mkdir()

    def make_tables(self) -> None:
        environment = self.system.environment(self.python, 1, self.database.url(), False)
        for command in self.system.prepare(self.python):
            run(command, environment, self.system.folder)

    def start(self) -> None:
        """Start both servers, have everybody sign up, and the followers sign in."""
        self.main = self.serve()
        self.boot_seconds = [self.main.boot_seconds]
        self.sign_up(self.main, [*self.followers, *self.signers], cheap=False)
        self.cheap = self.serve(cheap=True)
        self.boot_seconds.append(self.cheap.boot_seconds)
        self.sign_up(self.cheap, self.cheap_signers, cheap=True)
        self.sign_in(self.main, self.followers)

    def serve(
        self, cheap: bool = False, database_port: int = 0, cores: set[int] = processes.SERVER, **options: int
    ) -> Running:
        """Start one more server; return it once it answers. Options are those of the system's own serve()."""
        port = free_port()
        environment = self.system.environment(self.python, port, self.database.url(database_port), cheap)
        command = self.system.serve(self.python, port, **options)
        log = self.folder / f"server-{len(self.running)}.log"
        running = Running(command, environment, self.system.folder, port, log)
        self.running.append(running)
        running.start(self.system.me(Person("nobody@example.com", "")), cores)
        return running

    def sign_up(self, server: Running, persons: list[Person], cheap: bool) -> None:
        if self.system.sign_up(persons[0]) is None:
            command = self.system.prepare_people(self.python, persons)
            environment = self.system.environment(self.python, server.port, self.database.url(), cheap)
            run(command or ["false"], environment, self.system.folder)
            return
        wire = Wire(server.port)
        for person in persons:
            answer = wire.ask(self.system.sign_up(person))
            if answer.status not in (200, 201):
                raise Unable(f"sign-up: {answer.status} {answer.body[:200]!r}")

    def sign_in(self, server: Running, persons: list[Person]) -> None:
        wire = Wire(server.port)
        for person in persons:
            answer = wire.ask(self.system.login(person))
            if answer.status != 200:
                raise Unable(f"login: {answer.status} {answer.body[:200]!r}")
            self.system.keep(person, answer.json(), answer.headers)

    def renew(self) -> None:
        """Give the followers fresh access tokens."""
        if not self.system.refreshes:
            self.sign_in(self.main, self.followers)
            return
        wire = Wire(self.main.port)
        for person in self.followers:
            answer = wire.ask(self.system.refresh(person))
            if answer.status != 200:
                raise Unable(f"refresh: {answer.status} {answer.body[:200]!r}")
            self.system.keep(person, answer.json(), answer.headers)

    def stop(self) -> None:
        for running in self.running:
            running.stop()


def people(role: str, count: int) -> list[Person]:
    return [Person(f"{role}{number}@example.com", PASSWORD) for number in range(count)]
