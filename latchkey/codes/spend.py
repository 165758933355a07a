"""Spend what was found."""

from latchkey.codes.find import live
from latchkey.codes.models import Code
from latchkey.codes.purposes import Purpose
from latchkey.core.errors import InvalidCode


def spend(code: Code) -> None:
    """Delete it, in the transaction of what it opens; raises InvalidCode.

    One statement, which looks at everything once more: of any number that show the same one, the row lets one in.
    """
    deleted, _ = live(Purpose(code.purpose)).filter(pk=code.pk).delete()
    if not deleted:
        raise InvalidCode
