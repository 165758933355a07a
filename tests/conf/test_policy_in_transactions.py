"""The policy is read from the database at most once a second, which may be within the transaction of a request."""

from django.conf import settings
from django.db import connection

from latchkey.accounts.models import User
from latchkey.conf import policy


def test_unreadable_settings_table_does_not_abort_the_surrounding_transaction(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE constance_constance RENAME TO constance_gone")  # until the test is rolled back
    policy.clear_cache()
    assert connection.in_atomic_block
    assert policy.current_policy() == settings.POLICY_DEFAULTS
    assert User.objects.count() == 0  # PostgreSQL takes no statement after one that failed
    policy.clear_cache()
