"""The outbox, as an operator sees it: to whom, what about and how it stands, never a word of what is in it."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.formats import localize
from unfold.decorators import display

from latchkey.accounts.models import normalize_for_lookup
from latchkey.admin.read_only import LargeTableAdmin
from latchkey.mail.models import Mail
from latchkey.mail.queue import retry_now

STATES = {
    "waiting": Q(sent_at=None, failed_at=None),
    "sent": Q(sent_at__isnull=False),
    "failed": Q(failed_at__isnull=False),
}
LABEL_COLORS = {"waiting": "warning", "sent": "success", "failed": "danger"}


def state_of(mail: Mail) -> str:
    return "sent" if mail.sent_at else "failed" if mail.failed_at else "waiting"


class StateFilter(admin.SimpleListFilter):
    title, parameter_name = "state", "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state, state) for state in STATES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Mail]) -> QuerySet[Mail]:
        return queryset.filter(STATES[str(self.value())]) if self.value() in STATES else queryset


@admin.register(Mail)
class MailAdmin(LargeTableAdmin):
    """Read-only but for one thing: what waits can be tried at once, by those who may change mails."""

    list_display = ("written", "about", "to", "state", "tries", "then", "error")
    list_filter = (StateFilter,)
    search_fields = ("to_address",)  # else there would be no box
    search_help_text = "By the whole e-mail address."
    fields = ("written", "about", "to", "state", "tries", "then", "error")
    readonly_fields = fields
    actions = ("try_again_now",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Mail]:
        """Leave the contents where they are."""
        listed: QuerySet[Mail] = super().get_queryset(request)
        return listed.defer("encrypted_context")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Mail], search_term: str) -> Any:
        return (queryset.filter(to_address=normalize_for_lookup(search_term)) if search_term else queryset), False

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("latchkey.change_mail"))

    @admin.action(description="Try again now", permissions=["retry"])
    def try_again_now(self, request: HttpRequest, mails: QuerySet[Mail]) -> None:
        selected = list(mails.order_by())
        done = retry_now([mail.pk for mail in selected])
        LogEntry.objects.log_actions(str(request.user.pk), selected, CHANGE, change_message="Asked for at once.")
        others = "the others are sent, failed, or due within minutes"
        self.message_user(request, f"Due now: {done} of {len(selected)} selected; {others}.")

    @admin.display(description="written")
    def written(self, mail: Mail) -> str:
        return str(localize(mail.created_at))

    @admin.display(description="about")
    def about(self, mail: Mail) -> str:
        return mail.kind.replace("_", " ")

    @admin.display(description="to")
    def to(self, mail: Mail) -> str:
        return mail.to_address

    @display(description="state", label=LABEL_COLORS)  # type: ignore[untyped-decorator]  # unfold ships no types
    def state(self, mail: Mail) -> str:
        return state_of(mail)

    @admin.display(description="attempts")
    def tries(self, mail: Mail) -> int:
        return mail.attempts

    @admin.display(description="sent, failed or due")
    def then(self, mail: Mail) -> str:
        return str(localize(mail.sent_at or mail.failed_at or mail.next_attempt_at))

    @admin.display(description="last error")
    def error(self, mail: Mail) -> str:
        return mail.last_error or "-"
