"""`latchkey prune`: delete rows that are no longer used, in small batches beside a running service.

Only disk space depends on it: an expired row is refused whether it is deleted or not.
"""

from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from latchkey.api_keys.prune import prune as prune_api_keys
from latchkey.audit.models import AuditEvent
from latchkey.audit.prune import prune as prune_events
from latchkey.email_codes.prune import prune as prune_codes
from latchkey.factors.prune import prune as prune_factors
from latchkey.idempotency.prune import prune as prune_idempotency_keys
from latchkey.mail.prune import prune as prune_mails
from latchkey.management.options import OPTIONS
from latchkey.metrics_server.pruning import clear_admin_sessions
from latchkey.rate_limits.prune import prune as prune_attempts
from latchkey.sessions.models import Session
from latchkey.sessions.prune import prune


class Command(BaseCommand):
    help = OPTIONS["prune"].help

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete the rows of each kind, and print how many there were."""
        deleted = 0
        with tqdm(total=Session.objects.count(), unit=" sessions", unit_scale=True, file=self.stderr) as bar:
            for batch in prune():
                deleted += batch.deleted
                bar.update(batch.scanned)
        counters, expired = sum(prune_attempts()), sum(prune_codes())
        self.stdout.write(f"{deleted} ended sessions deleted, {Session.objects.count()} left.")
        self.stdout.write(f"{counters} rate-limit counters deleted.")
        self.stdout.write(f"{expired} expired links and codes deleted.")
        self.stdout.write(f"{sum(prune_factors())} expired tickets and abandoned enrolments deleted.")
        self.stdout.write(f"{sum(prune_api_keys())} API keys that expired 30 days ago deleted.")
        self.stdout.write(f"{sum(prune_idempotency_keys())} old idempotency keys deleted.")
        self.stdout.write(f"{sum(prune_mails())} sent or failed mails deleted.")
        clear_admin_sessions()
        with tqdm(unit=" events", unit_scale=True, file=self.stderr) as bar:
            for number in prune_events():
                bar.update(number)
        self.stdout.write(f"{bar.n} old events deleted, {AuditEvent.objects.count()} left.")
