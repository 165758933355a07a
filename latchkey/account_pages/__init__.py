"""Account pages: people without an app of ours sign in in a browser, and see to their second factor.

Read `access.py` first: what all pages share, who may open them, and what a change asks for. The pages call the use
cases of `sign_in`, `factors` and `passkeys`, as the endpoints of the API do; they have no rules of their own.
"""
