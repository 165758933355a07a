"""An answer that is lost on its way signs nobody out: the same token is answered with the same successor."""

from collections.abc import Callable

import pytest

from tests.faults.lossy_proxy import lossy_proxy
from tests.server import Server
from tests.support.refreshing_clients import Load

pytestmark = pytest.mark.fault


def test_every_fifth_answer_lost_signs_nobody_out(
    server: Server, start_load: Callable[..., Load], assert_outcome: Callable[..., None]
) -> None:
    with lossy_proxy(server.url) as proxy:
        load = start_load(proxy.url)
        proxy.loss_rate = 0.2
        with load:
            load.wait_for_refreshes(1000, within=60)
        proxy.loss_rate = 0.0
        assert proxy.dropped > 100
        assert_outcome(load, server, f"{proxy.dropped} answers lost")
