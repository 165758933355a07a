"""Many sessions at once: real ones with tokens, and filler rows that only take space."""

from datetime import timedelta
from uuid import UUID, uuid4

from django.db import connection

from latchkey.accounts.models import User
from latchkey.core import clock
from latchkey.sessions.models import Session
from latchkey.tokens.refresh_token import digest, generate, refresh_token_keys, selector, successor

USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"
COLUMNS = (
    "id, selector, digest, next_digest, user_id, credential_version, created_at, rotated_at, expires_at, ip, user_agent"
)
INSERT_FILLER_ROWS = {
    "postgresql": f"""
        INSERT INTO latchkey_session ({COLUMNS})
        SELECT (random() * 9e18)::bigint, (random() * 1.15e18)::bigint, sha256(n::text::bytea), sha256(n::text::bytea),
               %(user)s, 0, %(now)s, %(now)s, %(expires)s, '203.0.113.7', %(agent)s
          FROM generate_series(1, %(count)s) AS n ON CONFLICT DO NOTHING""",
    "sqlite": f"""
        WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < %(count)s)
        INSERT OR IGNORE INTO latchkey_session ({COLUMNS})
        SELECT abs(random()), abs(random() / 8), randomblob(32), randomblob(32), %(user)s, 0, %(now)s, %(now)s,
               %(expires)s, '203.0.113.7', %(agent)s
          FROM counted""",
}


def insert_sessions(count: int) -> list[UUID]:
    """Add a user with this many sessions; return their refresh tokens."""
    user = User.objects.create(email=f"{uuid4()}@example.com", password="!")
    key, now = refresh_token_keys()[0], clock.now()
    tokens = [generate(refresh_token_keys()[0]) for _ in range(count)]
    Session.objects.bulk_create(
        (
            Session(
                selector=selector(token),
                digest=digest(key, token),
                next_digest=digest(key, successor(key, token)),
                user=user,
                credential_version=user.credential_version,
                created_at=now,
                rotated_at=now,
                expires_at=now + timedelta(days=30),
                ip="203.0.113.7",
                user_agent=USER_AGENT,
            )
            for token in tokens
        ),
        batch_size=500,
    )
    return tokens


def insert_filler_rows(count: int, lifetime: timedelta) -> None:
    """Add sessions of one user with random digests, which expire after this lifetime (negative: expired)."""
    user = User.objects.create(email=f"{uuid4()}@example.com", password="!")
    adapted, now = connection.ops.adapt_datetimefield_value, clock.now()
    values = {
        "user": user.pk,
        "now": adapted(now),
        "expires": adapted(now + lifetime),
        "agent": USER_AGENT,
        "count": count,
    }
    with connection.cursor() as cursor:
        cursor.execute(INSERT_FILLER_ROWS[connection.vendor], values)
