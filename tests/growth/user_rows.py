"""Many users at once, with roles: rows for lists, whose users cannot sign in."""

from django.db import connection

from latchkey.authorization.models import Role
from latchkey.core import clock

ROLES = {"member": "TRUE", "editor": "n % 10 = 1", "odd": "n % 2 = 1", "rare": "n % 100000 = 1"}
"""Roles, and which of the users have them."""

COLUMNS = (
    "email, password, username, is_superuser, is_active, is_staff, created_at, email_verified_at, credential_version,"
    " token_claims"
)
VALUES = (
    "'user' || n || '@example.com', '!', '', FALSE, n % 100 <> 0, FALSE, {created_at},"
    ' CASE WHEN n % 10 = 0 THEN NULL ELSE {now} END, 0, \'{{"roles":["member"]}}\''
)
"""Of 100 users one is inactive, and of 10 one is unverified. A fifth of them was created at the same moment."""

DIALECTS = {
    "postgresql": {
        "numbers": "",
        "from": "generate_series(1, %(count)s) AS n",
        "now": "%(now)s::timestamptz",
        "created_at": "%(now)s::timestamptz - CASE WHEN n % 5 = 0 THEN 500000 ELSE n END * interval '1 second'",
    },
    "sqlite": {
        "numbers": "WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < %(count)s)",
        "from": "counted",
        "now": "%(now)s",
        "created_at": "strftime('%%Y-%%m-%%d %%H:%%M:%%f000', %(now)s,"
        " '-' || CASE WHEN n %% 5 = 0 THEN 500000 ELSE n END || ' seconds')",
    },
}
ANALYZE = "ANALYZE latchkey_user", "ANALYZE latchkey_user_role"


def insert_users(count: int) -> None:
    """Add this many users, the first of them as the newest, with the roles of ROLES."""
    dialect = DIALECTS[connection.vendor]
    values = VALUES.replace("n % ", "n %% ").format(
        now=dialect["now"], created_at=dialect["created_at"].replace("n % ", "n %% ")
    )
    parameters = {"count": count, "now": connection.ops.adapt_datetimefield_value(clock.now())}
    with connection.cursor() as cursor:
        cursor.execute(
            f"{dialect['numbers']} INSERT INTO latchkey_user ({COLUMNS}) SELECT {values} FROM {dialect['from']}",
            parameters,
        )
        for name, condition in ROLES.items():
            cursor.execute(
                "INSERT INTO latchkey_user_role (role_id, user_id, granted_at, user_created_at)"
                f" SELECT %s, id, created_at, created_at FROM latchkey_user AS u"
                f" WHERE {condition.replace('n %', 'CAST(substr(email, 5, length(email) - 16) AS integer) %%')}",
                [Role.objects.create(name=name).pk],
            )
        for statement in ANALYZE:
            cursor.execute(statement)
