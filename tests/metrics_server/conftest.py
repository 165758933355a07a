"""On SQLite, no database hangs."""

from django.conf import settings

collect_ignore_glob = [] if settings.DATABASE_URL else ["test_postgresql_*"]
