"""An account and an authenticator."""

import pytest

from tests.passkeys.ceremonies import Account
from tests.support.software_authenticator import SoftwareAuthenticator


@pytest.fixture
def account(db: None) -> Account:
    """An account without passkeys."""
    return Account()


@pytest.fixture
def phone() -> SoftwareAuthenticator:
    """An authenticator whose passkeys are synchronized, which verifies its user."""
    return SoftwareAuthenticator()
