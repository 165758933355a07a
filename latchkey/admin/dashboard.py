"""The first page: how this service fares, out of the tallies of its workers."""

from datetime import timedelta
from typing import Any

from django.db.models import Count, Min, Q

from latchkey.admin.charts import Chart, Series, draw_chart
from latchkey.admin.periods import Period, counts_of
from latchkey.audit.events import Event
from latchkey.core import clock
from latchkey.mail.models import Mail
from latchkey.metrics_server.hourly_totals import LIVE_SESSIONS
from latchkey.metrics_server.live_sessions import estimate

MAX_COUNTED = 10_000
"""Mails: the newest so many are counted, however many there are."""


def charts(period: Period) -> list[Chart]:
    """Return the plots of the first page."""
    starts = period.starts()
    counts = counts_of(period, [LIVE_SESSIONS, *map(str, Event)])
    served = [any(series[number] is not None for series in counts.values()) for number in range(len(starts))]
    live = int(estimate())
    counts[LIVE_SESSIONS][-1] = max(counts[LIVE_SESSIONS][-1] or 0, live)

    def series(label: str, tone: str, *events: Event) -> Series:
        summed = [
            sum(counts[event.value][n] or 0 for event in events) if served[n] else None for n in range(len(starts))
        ]
        return Series(label, tone, summed)

    def drawn(name: str, title: str, explained: str, *of: Series) -> Chart:
        whens = [period.label_for(start) for start in starts]
        headline = live if name == "live" else sum(count or 0 for each in of for count in each.counts)
        return draw_chart(
            name=name, title=title, description=explained, headline=f"{headline:,}", series=of, whens=whens
        )

    return [
        drawn(
            "live",
            "Live sessions",
            "Sampled as each hour begins, and now; the number is of now.",
            Series("live", "main", counts[LIVE_SESSIONS]),
        ),
        drawn("sign-ups", "Sign-ups", "Accounts that were opened.", series("opened", "main", Event.USER_REGISTERED)),
        drawn(
            "sign-ins",
            "Sign-ins",
            "By outcome. Those that wait were neither looked up nor hashed.",
            series("succeeded", "main", Event.LOGIN_SUCCEEDED),
            series("failed", "bad", Event.LOGIN_FAILED),
            series("had to wait", "warn", Event.RATE_LIMIT_EXCEEDED, Event.HASHING_OVERLOADED),
        ),
        drawn(
            "refreshes",
            "Refreshes",
            "Refresh tokens traded for the next; repeats are lost answers that were given again.",
            series("traded", "main", Event.SESSION_REFRESHED),
            series("repeated", "warn", Event.SESSION_RETRIED),
        ),
        drawn(
            "replays",
            "Replays",
            "Spent tokens that came back late, and ended their session. Each may be a theft.",
            series("replayed", "bad", Event.SESSION_REPLAYED),
        ),
    ]


def mail_queue_summary() -> dict[str, Any]:
    """Return how the outbox stands: all that wait, and what became of the newest mails."""
    waiting = Mail.objects.filter(sent_at=None, failed_at=None)[:MAX_COUNTED].aggregate(
        count=Count("pk"), oldest=Min("created_at")
    )
    newest = Mail.objects.order_by("-pk")[:MAX_COUNTED].aggregate(
        sent=Count("pk", filter=Q(sent_at__isnull=False)), failed=Count("pk", filter=Q(failed_at__isnull=False))
    )
    age = None if waiting["oldest"] is None else clock.now() - waiting["oldest"]
    return {
        "waiting": f"{waiting['count']:,}" + ("+" if waiting["count"] == MAX_COUNTED else ""),
        "oldest": None if age is None else timedelta(seconds=max(0, int(age.total_seconds()))),
        "sent": f"{newest['sent']:,}",
        "failed": f"{newest['failed']:,}",
        "looked_at": f"{MAX_COUNTED:,}",
    }
