"""Registration: POST /api/register/, with or without a verification mail.

Read `register.py` first. With EMAIL_VERIFICATION 'required' the answer is the same whether the address has an account
or not. It must not import the other features at its level, nor create sessions.
"""
