"""A system under test with its database, servers and users."""

from contextlib import closing
from pathlib import Path

from bench import endpoints, processes
from bench.adapter import Adapter, Person
from bench.database import Database
from bench.http_client import HttpConnection, Response
from bench.profiles import Profile
from bench.server import BenchmarkError, MeasuredServer, ServerProcess, run_command
from tests.postgres import free_port

PASSWORD = "seven wild geese over the harbour"
REFRESH_USERS, CHEAP_LOGIN_USERS = 8, 80
"""Users that refresh, and users that sign in with the cheap hash: many, as sessions per user are limited."""


class Subject:
    """A system on a running server, with the users that refresh: registers them, signs them in, refreshes them."""

    system: Adapter
    main_server: MeasuredServer
    refresh_users: list[Person]

    def register(self, server: MeasuredServer, persons: list[Person]) -> None:
        """Create the accounts by the endpoint of the system."""
        with closing(HttpConnection(server.port)) as wire:
            for person in persons:
                request = self.system.sign_up(person)
                assert request is not None
                check_status("sign-up", wire.request(request))

    def sign_in(self, server: MeasuredServer, persons: list[Person]) -> None:
        with closing(HttpConnection(server.port)) as wire:
            for person in persons:
                answer = check_status("login", wire.request(self.system.login(person)))
                self.system.store_tokens(person, answer.json(), answer.headers)

    def refresh_tokens(self) -> None:
        """Get new access tokens for the users that refresh."""
        if not self.system.refreshes:
            self.sign_in(self.main_server, self.refresh_users)
            return
        with closing(HttpConnection(self.main_server.port)) as wire:
            for person in self.refresh_users:
                answer = check_status("refresh", wire.request(self.system.refresh(person)))
                self.system.store_tokens(person, answer.json(), answer.headers)


class SystemUnderTest(Subject):
    """Two servers on one database, one as shipped and one with a cheap password hash, each with its own users."""

    main_server: ServerProcess

    def __init__(self, system: Adapter, python: Path, database: Database, folder: Path, size: Profile) -> None:
        self.system, self.python, self.database, self.folder = system, python, database, folder
        self.running: list[ServerProcess] = []
        self.refresh_users, self.login_users = (
            make_people("refresh", REFRESH_USERS),
            make_people("login", size.login_users),
        )
        self.cheap_login_users = make_people("cheap", CHEAP_LOGIN_USERS)
        self.refresh, self.login = endpoints.refresh(system), endpoints.login(system)
        self.cheap_login = endpoints.login(system, "login without the hash")
        folder.mkdir()

    def make_tables(self) -> None:
        environment = self.system.environment(self.python, 1, self.database.url(), False)
        for command in self.system.setup_commands(self.python):
            run_command(command, environment, self.system.folder)

    def start(self) -> None:
        """Start both servers, register all users, and sign in the users that refresh."""
        self.main_server = self.serve()
        self.boot_seconds = [self.main_server.boot_seconds]
        self.sign_up(self.main_server, [*self.refresh_users, *self.login_users], cheap=False)
        self.cheap_server = self.serve(cheap=True)
        self.boot_seconds.append(self.cheap_server.boot_seconds)
        self.sign_up(self.cheap_server, self.cheap_login_users, cheap=True)
        self.sign_in(self.main_server, self.refresh_users)

    def serve(
        self, cheap: bool = False, database_port: int = 0, cores: set[int] = processes.SERVER_CORES, **options: int
    ) -> ServerProcess:
        """Start a server; return it when it responds. Options are passed to the adapter's serve()."""
        port = free_port()
        environment = self.system.environment(self.python, port, self.database.url(database_port), cheap)
        command = self.system.serve(self.python, port, **options)
        log = self.folder / f"server-{len(self.running)}.log"
        running = ServerProcess(command, environment, self.system.folder, port, log)
        self.running.append(running)
        running.start(self.system.me(Person("nobody@example.com", "")), cores)
        return running

    def sign_up(self, server: ServerProcess, persons: list[Person], cheap: bool) -> None:
        if self.system.sign_up(persons[0]) is None:
            command = self.system.make_people_command(self.python, persons)
            environment = self.system.environment(self.python, server.port, self.database.url(), cheap)
            run_command(command or ["false"], environment, self.system.folder)
            return
        self.register(server, persons)

    def stop(self) -> None:
        for running in self.running:
            running.stop()


def check_status(what: str, answer: Response) -> Response:
    """Return the response; raise BenchmarkError if its status is not 2xx."""
    if not answer.ok:
        raise BenchmarkError(f"{what}: {answer.status} {answer.body[:200]!r}")
    return answer


def make_people(role: str, count: int) -> list[Person]:
    return [Person(f"{role}{number}@example.com", PASSWORD) for number in range(count)]
