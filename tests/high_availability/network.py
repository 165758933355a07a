"""The network between the machines: TCP proxies that know who connects, and can cut a machine off.

Each service of a machine that others use (etcd, Patroni, PostgreSQL) has a proxy in front of it, and the others know
the port of the proxy. The source of a connection is the machine in whose folder the connecting process works. While a
machine is cut off, its connections to and from other machines stay open and pass nothing on. Clients of the database
connect to PostgreSQL directly, so that they still reach it. All this needs no privileges, unlike iptables.

As a program it takes the folder of the machines, then the listeners ("machine port target-port") as arguments, and
commands on its standard input: "cut db1", "heal db1".
"""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from tests.high_availability.processes import owner_of_port


class Network:
    """The machines that are cut off, and the connections between all machines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reachable: dict[str, asyncio.Event] = {}

    def set_reachable(self, machine: str, reachable: bool) -> None:
        event = self.reachable.setdefault(machine, asyncio.Event())
        event.set() if reachable else event.clear()

    def source(self, port: int) -> str:
        """Return the machine whose process has this port; '' for a process of the tests."""
        working = owner_of_port(port)
        return working.relative_to(self.folder).parts[0] if self.folder in working.parents else ""

    async def listen(self, machine: str, port: int, target: int) -> None:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                source = await asyncio.to_thread(self.source, writer.get_extra_info("peername")[1])
            except LookupError:  # it has closed the connection
                writer.transport.abort()
                return
            ends = [self.reachable[name] for name in (source, machine) if name] if source != machine else []
            was_cut = not all(event.is_set() for event in ends)
            for event in ends:
                await event.wait()
            if was_cut:  # who connected in vain does not wait any more
                writer.transport.abort()
                return
            with suppress(OSError):
                inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", target)
                await asyncio.gather(forward(reader, inner_writer, ends), forward(inner_reader, writer, ends))
                return
            writer.transport.abort()

        await asyncio.start_server(accept, "127.0.0.1", port, backlog=500)


async def forward(source: asyncio.StreamReader, target: asyncio.StreamWriter, ends: list[asyncio.Event]) -> None:
    """Pass everything on while both ends are reachable."""
    with suppress(OSError):
        while data := await source.read(65_536):
            for event in ends:
                await event.wait()
            target.write(data)
            await target.drain()
    for event in ends:
        await event.wait()
    target.close()


async def main(folder: str, *listeners: str) -> None:
    network = Network(Path(folder))
    for listener in listeners:
        machine, port, target = listener.split()
        network.set_reachable(machine, True)
        await network.listen(machine, int(port), int(target))
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        command, machine = line.split()
        network.set_reachable(machine, command == "heal")
        print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
