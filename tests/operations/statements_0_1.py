"""SQL statements of version 0.1, written down when 0.1 was current: refresh, me and logout, without models.

Run in a `latchkey shell` on a database of the current version. They must not follow changes of the code.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

SIGN_IN = """
INSERT INTO latchkey_session (id, selector, digest, next_digest, user_id, credential_version,
                              created_at, rotated_at, expires_at, ip, user_agent)
SELECT 1, 2, %(first)s, %(second)s, u.id, u.credential_version, %(now)s, %(now)s, %(then)s, '127.0.0.1', 'x'
  FROM latchkey_user AS u WHERE u.email = %(email)s AND u.is_active AND u.credential_version = 0
"""
ROTATE = """
UPDATE latchkey_session AS s
   SET digest = %(second)s, next_digest = %(first)s, rotated_at = %(now)s, expires_at = %(then)s
  FROM latchkey_user AS u
 WHERE s.selector = 2 AND (s.digest = %(first)s OR s.next_digest = %(first)s) AND s.expires_at > %(now)s
   AND u.id = s.user_id AND u.is_active AND u.credential_version = s.credential_version
"""
ME = """
SELECT u.id, u.email, u.username FROM latchkey_session AS s JOIN latchkey_user AS u ON u.id = s.user_id
 WHERE s.id = 1 AND s.expires_at > %(now)s AND u.is_active AND u.credential_version = s.credential_version
"""
REGISTER = """
INSERT INTO latchkey_user (password, is_superuser, email, username, is_active, is_staff, created_at, credential_version)
VALUES ('x', {no}, %(email)s, '', {yes}, {no}, %(now)s, 0)
"""
ATTEMPT = """
INSERT INTO latchkey_attempt (account, address, failures, last_at, blocked_until) VALUES ('a', 'b', 1, 0, 0)
ON CONFLICT (account, address) DO UPDATE SET failures = latchkey_attempt.failures + 1 RETURNING failures
"""
LOG_OUT = "DELETE FROM latchkey_session WHERE selector = 2 AND digest = %(second)s"

now = datetime.now(UTC)
yes, no = ("true", "false") if connection.vendor == "postgresql" else ("1", "0")
known: dict[str, Any] = {"first": bytes(32), "second": bytes(31) + b"1", "now": now, "then": now + timedelta(days=1)}
known["email"] = "alice@example.com"
with connection.cursor() as cursor:
    for statement in (REGISTER.format(yes=yes, no=no), SIGN_IN, ROTATE, ME, ATTEMPT, LOG_OUT):
        cursor.execute(statement, {name: value for name, value in known.items() if f"%({name})s" in statement})
        print(cursor.rowcount if cursor.description is None else len(cursor.fetchall()))
