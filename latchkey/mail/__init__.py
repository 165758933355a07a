"""Mail: the transactional outbox, its queue and worker, delivery by SMTP, templates, and security notices.

Read `outbox.py` first: a mail is a row, written in the transaction that causes it. Then `queue.py` and `delivery.py`.
It must not know the features that send mails: they call `enqueue` with a kind and a context.
"""
