"""A lost refresh response signs nobody out: the same token gets the same successor again."""

from collections.abc import Callable

import pytest

from tests.faults.lossy_proxy import lossy_proxy
from tests.server import Server
from tests.support.refreshing_clients import Load

pytestmark = pytest.mark.fault


def test_refresh_with_a_fifth_of_the_responses_lost_signs_nobody_out(
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
