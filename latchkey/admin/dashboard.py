"""Dashboard of the admin area: charts of the hourly counters, the number of users, and the state of the mail queue."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q

from latchkey.accounts.models import User
from latchkey.admin.charts import Chart, Series, draw_chart
from latchkey.admin.periods import Period, counts_of
from latchkey.audit.events import Event
from latchkey.core import clock
from latchkey.mail.models import STATE_FILTERS, Mail, MailState
from latchkey.mail.queue import MAX_COUNTED, queue_size
from latchkey.metrics_server.hourly_totals import LIVE_SESSIONS
from latchkey.metrics_server.live_sessions import estimate

MAX_COUNTED_USERS = 100_000
"""Users that the dashboard counts, in a tenth of a second; more need no exact number."""


def charts(period: Period) -> list[Chart]:
    """Return the charts of the dashboard.

    An hour in which no worker reported is None in every series; an hour in which nothing happened is 0.
    """
    starts = period.starts()
    counts = counts_of(period, [LIVE_SESSIONS, *map(str, Event)])
    served = [any(series[number] is not None for series in counts.values()) for number in range(len(starts))]
    live = int(estimate())
    counts[LIVE_SESSIONS][-1] = max(counts[LIVE_SESSIONS][-1] or 0, live)

    def series(label: str, color: str, *events: Event) -> Series:
        sums = [sum(counts[event.value][n] or 0 for event in events) if served[n] else None for n in range(len(starts))]
        return Series(label, color, sums)

    def chart(name: str, title: str, description: str, *of: Series) -> Chart:
        whens = [period.label_for(start) for start in starts]
        headline = live if name == "live" else sum(count or 0 for each in of for count in each.counts)
        return draw_chart(
            name=name, title=title, description=description, headline=f"{headline:,}", series=of, whens=whens
        )

    return [
        chart(
            "live",
            "Active sessions",
            "Sampled at the start of each hour. The number is the current value.",
            Series("active", "main", counts[LIVE_SESSIONS]),
        ),
        chart("registrations", "Registrations", "New accounts.", series("registered", "main", Event.USER_REGISTERED)),
        chart(
            "sign-ins",
            "Sign-ins",
            "By outcome. Refused: rate limited, or the queue for password hashing was full. No password was checked.",
            series("succeeded", "main", Event.LOGIN_SUCCEEDED),
            series("failed", "bad", Event.LOGIN_FAILED),
            series("refused", "warn", Event.RATE_LIMIT_EXCEEDED, Event.HASHING_OVERLOADED),
        ),
        chart(
            "refreshes",
            "Refreshes",
            "Rotated refresh tokens. Repeated: the same new token was returned again within the retry window.",
            series("rotated", "main", Event.SESSION_REFRESHED),
            series("repeated", "warn", Event.SESSION_RETRIED),
        ),
        chart(
            "reuse",
            "Refresh token reuse",
            "Old refresh tokens used again after the retry window. Each ended its session, and may be a theft.",
            series("reused", "bad", Event.SESSION_REPLAYED),
        ),
    ]


def mail_queue_summary() -> dict[str, Any]:
    """Return the numbers of the mail queue: waiting mails, the age of the oldest, and the outcome of the newest."""
    queue = queue_size()
    newest = Mail.objects.order_by("-pk")[:MAX_COUNTED].aggregate(
        sent=Count("pk", filter=STATE_FILTERS[MailState.SENT]),
        failed=Count("pk", filter=STATE_FILTERS[MailState.FAILED]),
    )
    age = queue.oldest_age
    return {
        "waiting": f"{queue.count:,}" + ("+" if queue.count == MAX_COUNTED else ""),
        "oldest": None if age is None else timedelta(seconds=int(age.total_seconds())),
        "sent": f"{newest['sent']:,}",
        "failed": f"{newest['failed']:,}",
        "counted": f"{MAX_COUNTED:,}",
    }


def user_totals() -> dict[str, str]:
    """Return the number of users, exact up to MAX_COUNTED_USERS, and that of users who were added lately."""
    total = User.objects.order_by()[:MAX_COUNTED_USERS].count()
    week_ago = clock.now() - timedelta(days=7)
    newest = User.objects.order_by("-pk")[:MAX_COUNTED]
    added = newest.aggregate(added=Count("pk", filter=Q(created_at__gt=week_ago)))["added"]
    return {
        "total": f"{total:,}" + ("+" if total == MAX_COUNTED_USERS else ""),
        "added": f"{added:,}" + ("+" if added == MAX_COUNTED else ""),
    }


def mail_alerts() -> list[str]:
    """Return a sentence for each reason why users do not get their mails."""
    alerts = []
    if settings.MAIL_SERVER is None:
        alerts.append(
            "No mail server is set: nobody gets a mail to reset a password or to verify an address. Set EMAIL_URL."
        )
    day_ago = clock.now() - timedelta(days=1)
    newest = Mail.objects.order_by("-pk")[:MAX_COUNTED]
    if failed := newest.aggregate(failed=Count("pk", filter=Q(failed_at__gt=day_ago)))["failed"]:
        alerts.append(
            f"{failed:,} {'mail has' if failed == 1 else 'mails have'} failed for good in the last 24 hours and will "
            "not be sent."
        )
    return alerts
