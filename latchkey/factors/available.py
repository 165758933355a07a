"""The factors that an account has, by name: what a client may offer after a password, or for a step-up."""

from latchkey.db.statements import fetch_all

SELECT_KINDS = """
SELECT 'passkey' FROM latchkey_passkey WHERE user_id = %(user_id)s
 UNION SELECT 'recovery_code' FROM latchkey_recovery_code WHERE user_id = %(user_id)s
 UNION SELECT 'totp' FROM latchkey_totp WHERE user_id = %(user_id)s AND confirmed_at IS NOT NULL
"""


def available_factors(user_id: int) -> list[str]:
    """Return which of `passkey`, `recovery_code` and `totp` the user has, sorted; one SELECT."""
    return sorted(kind for (kind,) in fetch_all(SELECT_KINDS, {"user_id": user_id}))
