"""Collection rules of the metrics tests: tests of a hung database need PostgreSQL."""

from django.conf import settings

collect_ignore_glob = [] if settings.DATABASE_URL else ["test_postgresql_*"]
