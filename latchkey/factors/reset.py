"""Reset of second factors by an operator: the way back for people who have lost the app, the passkeys and the codes.

Support is where factors are talked away (supabase/auth#1342), so an operator gives a reason, and the person is told by
mail. After it the password signs in alone, unless the policy requires a factor: then a new one is set up.
"""

from collections.abc import Collection

from django.db import transaction

from latchkey.accounts.models import User
from latchkey.audit.events import DETAIL_LENGTH
from latchkey.audit.log import Operator
from latchkey.factors.changes import reset_factors


def clean_reason(text: str, operator: Operator) -> str:
    """Return the reason as the event stores it, with single spaces; raises ValueError with a sentence.

    It is also logged, where no e-mail address may stand.
    """
    reason = " ".join(text.split())
    longest = DETAIL_LENGTH + 1 - len(operator.reason("-"))  # the command line is named there, too
    if not reason:
        raise ValueError("Give a reason.")
    if len(reason) > longest:
        raise ValueError(f"A reason has at most {longest} characters.")
    if not reason.isprintable():
        raise ValueError("A reason has letters, digits and punctuation alone.")
    if "@" in reason:
        raise ValueError("A reason is written to the log: it must not contain an e-mail address.")
    return reason


@transaction.atomic
def reset_second_factors(user_ids: Collection[int], reason: str, operator: Operator) -> int:
    """Delete all second factors and recovery codes of these users, and end their sessions; return how many had some.

    Raises ValueError for a reason that cannot be stored.
    """
    reason = clean_reason(reason, operator)
    users = User.objects.filter(pk__in=user_ids, second_factors__gt=0).order_by("pk")
    for user in (affected := list(users.select_for_update(no_key=True))):
        reset_factors(user, operator, reason)
    return len(affected)
