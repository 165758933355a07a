"""The hashing queue: how many requests that hash a password run and wait in one process (OWASP ASVS 15.2.2).

A flood of sign-ins must not starve the users who are signed in. So the server gives requests that hash a thread and a
queue of their own, and the hashing itself runs with low priority (argon2.py). Nor must one network starve the sign-ins
of all others, so the queue is fair: networks take turns.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from threading import Condition
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
View = TypeVar("View", bound=Callable[..., Any])

MAX_CONCURRENT = 1
"""Passwords hashed at the same time in one process; each takes 19 MiB, and one core for 14 ms.

With 2, `bench/flood.py` measured no more sign-ins per second on two cores, and doubled p99s of other requests.
"""

MAX_QUEUED = 64
"""Requests that may wait for hashing in one process, 2 to 3 s at most; further ones get 503."""


class FairQueue(Generic[Item]):
    """A bounded queue with a line for each network, which `get` serves in turns (fair queuing, RFC 970).

    A network that had nothing in the queue comes first, and takes turns with the others afterwards (RFC 8290, new
    flows). So it waits for the request that is being served, however many another network has sent before. Who comes to
    a full queue takes the last place of the longest line, unless its own line is as long: a network alone can use the
    whole queue.
    """

    def __init__(self, max_size: int = MAX_QUEUED) -> None:
        self.max_size, self.size = max_size, 0
        self.lines: dict[str, deque[Item]] = {}  # none empty
        self.new: OrderedDict[str, None] = OrderedDict()  # networks whose first item has not been served, in order
        self.turns: OrderedDict[str, None] = OrderedDict()  # all others, in the order of their turns
        self.changed = Condition()  # reentrant

    def put(self, network: str, item: Item) -> Item | None:
        """Add an item; return the one that has no place: None, that of another network, or this one."""
        with self.changed:
            rejected = None
            if self.size >= self.max_size:
                if not self.has_place(network):
                    return item
                rejected = self.lines[self.longest()].pop()
                self.size -= 1
            if network not in self.lines:
                self.lines[network], self.new[network] = deque(), None
            self.lines[network].append(item)
            self.size += 1
            self.changed.notify()
            return rejected

    def has_place(self, network: str) -> bool:
        """Return whether `put` would take an item of this network now."""
        with self.changed:
            return self.size < self.max_size or len(self.lines[self.longest()]) > len(self.lines.get(network, ())) + 1

    def longest(self) -> str:
        """Return the network with the most items, of a queue that is not empty."""
        return max(self.lines, key=lambda name: len(self.lines[name]))

    def get(self) -> Item:
        """Wait for an item, remove it and return it: the oldest of the network whose turn it is."""
        with self.changed:
            while not self.size:
                self.changed.wait()
            network, _ = (self.new or self.turns).popitem(last=False)
            line = self.lines[network]
            item = line.popleft()
            self.size -= 1
            if line:
                self.turns[network] = None
            else:
                del self.lines[network]
            return item

    def qsize(self) -> int:
        """Return the number of items."""
        return self.size


def hashes_password(*methods: str) -> Callable[[View], View]:
    """Mark a view function whose HTTP methods hash a password: their requests wait in the hashing queue.

    Class-based views say it by an attribute of the same name.
    """

    def mark(view: View) -> View:
        view.hashes_password = frozenset(methods)  # type: ignore[attr-defined]  # as Django marks csrf_exempt
        return view

    return mark
