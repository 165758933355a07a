"""Second factors: tickets between two steps of a sign-in, TOTP, recovery codes, and what a change of factors entails.

Read `tickets.py` first, then `changes.py` and `totp.py`. Sign-in itself is above, in `sign_in`; passkeys are in
`passkeys`.
"""
