"""Correctness under parallel refreshes of one token: forked sessions, unusable tokens, lost sessions."""

from collections import Counter
from dataclasses import replace

from bench.adapter import Person
from bench.http_client import HttpConnection, encode_request
from bench.system_under_test import Subject

AT_ONCE = 8


def run_rounds(subject: Subject, times: int) -> dict[str, int]:
    """Refresh one new token eight times in parallel, and count what went wrong over this many rounds.

    forks: rounds after which more than one refresh token works. dead: 200 responses whose access token or refresh token
    does not work. signed_out: rounds after which no refresh token works.
    """
    found: Counter[str] = Counter()
    for number in range(times):
        person = subject.refresh_users[number % len(subject.refresh_users)]
        subject.sign_in(subject.main_server, [person])
        found.update(run_round(subject, person))
    subject.sign_in(subject.main_server, subject.refresh_users)
    return {"rounds": times} | {name: found[name] for name in ("forks", "dead", "signed_out", "granted", "failed")}


def run_round(subject: Subject, person: Person) -> dict[str, int]:
    """Run one round; return its counts."""
    system, port = subject.system, subject.main_server.port
    wires, request = [HttpConnection(port) for _ in range(AT_ONCE)], encode_request(system.refresh(person))
    for wire in wires:
        wire.socket.sendall(request)
    answers = [wire.read_response() for wire in wires]
    for wire in wires:
        wire.close()
    holders = []
    for answer in answers:
        if answer.ok:
            holder = replace(person, extra=dict(person.extra))
            system.store_tokens(holder, answer.json(), answer.headers)
            holders.append(holder)
    wire = HttpConnection(port)
    let_in = [wire.request(system.me(holder)).ok for holder in holders]
    by_token = {holder.refresh: holder for holder in holders}
    live = {token for token, holder in by_token.items() if is_live(wire, subject, holder)}
    wire.close()
    return {
        "forks": int(len(live) > 1),
        "dead": sum(not good or holder.refresh not in live for good, holder in zip(let_in, holders, strict=True)),
        "signed_out": int(not live),
        "granted": len(holders),
        "failed": sum(answer.status >= 500 for answer in answers),
    }


def is_live(wire: HttpConnection, subject: Subject, holder: Person) -> bool:
    """Tell whether the refresh token still works."""
    return wire.request(subject.system.refresh(replace(holder, extra=dict(holder.extra)))).ok
