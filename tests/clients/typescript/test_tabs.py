"""Many tabs with one session in Chromium, while answers of refresh get lost: nobody is signed out."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.clients.typescript.app_server import AppServer
from tests.clients.typescript.conftest import sign_in
from tests.server import Server

pytestmark = pytest.mark.clients
TABS, TOKENS = 8, 200
MAX_REFRESHES_PER_TAB_SECOND = 1.1
WITHOUT_LOCKS = "delete Navigator.prototype.locks;"
WITHOUT_CHANNEL = "delete globalThis.BroadcastChannel;"
ONE_SECOND = """from datetime import timedelta
from constance import config
config.ACCESS_TOKEN_LIFETIME = timedelta(seconds=1)"""
START = """async tokens => {
    await client.load();
    use(tokens).then(counts => globalThis.counts = counts);
}"""


@pytest.mark.parametrize(
    "missing",
    ["", WITHOUT_LOCKS, WITHOUT_LOCKS + WITHOUT_CHANNEL],
    ids=["with Web Locks", "without Web Locks", "without Web Locks and BroadcastChannel"],
)
def test_many_tabs_share_a_session_while_answers_get_lost(
    open_tab: Callable[[str], Page],
    app: AppServer,
    server: Server,
    account: dict[str, str],
    missing: str,
) -> None:
    server.shell(ONE_SECOND)
    tabs = [open_tab(missing) for _ in range(TABS)]
    assert tabs[0].evaluate("!!navigator.locks") == (WITHOUT_LOCKS not in missing)
    assert tabs[0].evaluate("!!globalThis.BroadcastChannel") == (WITHOUT_CHANNEL not in missing)
    sign_in(tabs[0], account)
    app.refreshes.clear()
    app.loss_rate = 0.1
    began = time.monotonic()
    for tab in tabs:
        tab.evaluate(START, TOKENS)
    for tab in tabs:
        tab.wait_for_function("globalThis.counts", timeout=TOKENS * 4000)
    seconds = time.monotonic() - began
    counts = [tab.evaluate("counts") for tab in tabs]
    rate = len(app.refreshes) / seconds / TABS
    summary = f"{len(app.refreshes)} refreshes, {rate:.2f} a tab-second, {app.lost} lost, {seconds:.0f} s: {counts}"
    print(summary)
    assert [status for _, status in app.refreshes if status != 200] == [], summary
    assert all(count["tokens"] == TOKENS for count in counts), summary
    assert app.lost > TOKENS / 20, summary
    assert "session.replayed" not in server.log.read_text()
    assert rate <= MAX_REFRESHES_PER_TAB_SECOND or missing, summary
    for tab in tabs:
        assert tab.evaluate("client.session.status") == "signed-in"
        statuses = [status for status, _ in tab.evaluate("changes")]
        assert "signed-out" not in statuses[statuses.index("signed-in") :]
