"""E-mail addresses of accounts: verification, and change with a confirmation by mail.

Read `verify.py` first, then `change.py`. It must not import the other features at its level; codes and links are in
`email_codes`, mails in `mail`.
"""
