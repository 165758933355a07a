"""Mail queue in the admin area: recipient, kind and state of each mail, never its content."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import localize
from unfold.decorators import display

from latchkey.accounts.models import normalize_for_lookup
from latchkey.admin.operators import operator_of
from latchkey.admin.read_only import LargeTableAdmin
from latchkey.mail.models import STATE_FILTERS, Mail, MailState
from latchkey.mail.queue import retry_now

LABEL_COLORS = {MailState.WAITING: "warning", MailState.SENT: "success", MailState.FAILED: "danger"}


class StateFilter(admin.SimpleListFilter):
    """Filter by state: waiting, sent or failed."""

    title, parameter_name = "state", "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state, state) for state in MailState]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Mail]) -> QuerySet[Mail]:
        state = self.value()
        return queryset.filter(STATE_FILTERS[MailState(state)]) if state in STATE_FILTERS else queryset


@admin.register(Mail)
class MailAdmin(LargeTableAdmin):
    """The mail queue: read-only, but staff with `change_mail` can retry waiting mails at once."""

    list_display = ("written", "about", "to", "state", "tries", "then", "error")
    list_filter = (StateFilter,)
    empty_hint = "Mails appear here when somebody asks for a reset or gets a notice."
    search_fields = ("to_address",)  # required for a search box; get_search_results() does the search
    search_help_text = "Search by the full e-mail address."
    fields = ("written", "about", "to", "state", "tries", "then", "error")
    readonly_fields = fields
    actions = ("try_again_now",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Mail]:
        """Leave out the encrypted content."""
        listed: QuerySet[Mail] = super().get_queryset(request)
        return listed.defer("encrypted_context")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Mail], search_term: str) -> Any:
        return (queryset.filter(to_address=normalize_for_lookup(search_term)) if search_term else queryset), False

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Tell whether the action "Retry now" is offered."""
        return bool(request.user.has_perm("latchkey.change_mail"))

    @admin.action(description="Retry selected mails now", permissions=["retry"])
    def try_again_now(self, request: HttpRequest, mails: QuerySet[Mail]) -> None:
        """Make the selected mails due now, and record that in their history."""
        selected = list(mails.order_by())
        done = retry_now([mail.pk for mail in selected], operator_of(request))
        LogEntry.objects.log_actions(str(request.user.pk), selected, CHANGE, change_message="Retried now.")
        others = "the others are sent, failed, or due within minutes"
        self.message_user(request, f"{done} of {len(selected)} selected mails are due now; {others}.")

    @admin.display(description="created")
    def written(self, mail: Mail) -> str:
        return str(localize(mail.created_at))

    @admin.display(description="kind")
    def about(self, mail: Mail) -> str:
        return mail.kind.replace("_", " ")

    @admin.display(description="recipient")
    def to(self, mail: Mail) -> str:
        return mail.to_address

    @display(description="state", label=LABEL_COLORS)  # type: ignore[untyped-decorator]  # unfold ships no types
    def state(self, mail: Mail) -> str:
        return mail.state

    @admin.display(description="attempts")
    def tries(self, mail: Mail) -> int:
        return mail.attempts

    @admin.display(description="sent, failed or due at")
    def then(self, mail: Mail) -> str:
        return str(localize(mail.sent_at or mail.failed_at or mail.next_attempt_at))

    @admin.display(description="last error")
    def error(self, mail: Mail) -> str:
        return mail.last_error or "-"
