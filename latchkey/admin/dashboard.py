"""Dashboard of the admin area: charts of the hourly counters, and the state of the mail queue."""

from datetime import timedelta
from typing import Any

from django.db.models import Count

from latchkey.admin.charts import Chart, Series, draw_chart
from latchkey.admin.periods import Period, counts_of
from latchkey.audit.events import Event
from latchkey.mail.models import STATE_FILTERS, Mail, MailState
from latchkey.mail.queue import MAX_COUNTED, queue_size
from latchkey.metrics_server.hourly_totals import LIVE_SESSIONS
from latchkey.metrics_server.live_sessions import estimate


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
