"""A browser at the account pages."""

import httpx
import pytest

from tests.account_pages.visitor import Visitor


@pytest.fixture
def visitor(http: httpx.Client) -> Visitor:
    """A browser that is not signed in."""
    return Visitor(http)
