"""Invalid rows in the settings table, which no form wrote: an older version, a restored backup, a slip in SQL."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest
import time_machine
from constance.models import Constance
from django.conf import settings

from latchkey.conf import policy
from tests.people import Person
from tests.support.admin_pages import SETTINGS, Browser, save_settings, shown_messages

BROKEN = {
    "nothing": "",
    "not JSON": "{",
    "a bare null": "null",
    "null": '{"__type__": "default", "__value__": null}',
    "text": '{"__type__": "default", "__value__": "soon"}',
    "a list": '{"__type__": "default", "__value__": [1]}',
    "a negative number": '{"__type__": "default", "__value__": -1}',
    "a huge number": '{"__type__": "default", "__value__": 1e308}',
    "infinity": '{"__type__": "default", "__value__": Infinity}',
    "not a number": '{"__type__": "default", "__value__": NaN}',
    "a negative duration": '{"__type__": "timedelta", "__value__": -86400}',
    "a huge duration": '{"__type__": "timedelta", "__value__": 8e13}',
    "a duration past every limit": '{"__type__": "timedelta", "__value__": 1e308}',
    "an unknown type": '{"__type__": "bomb", "__value__": 1}',
}
GOOD = {
    name: None if default is False or default == "" else default  # an unticked box, an empty field
    for name, (default, *_) in settings.CONSTANCE_CONFIG.items()
}


def break_table(row: str) -> None:
    for setting in settings.CONSTANCE_CONFIG:
        Constance.objects.update_or_create(key=setting, defaults={"value": row})
    policy.clear_cache()


@pytest.mark.ledger("H-ADM-04")
@pytest.mark.parametrize("row", BROKEN.values(), ids=BROKEN)
def test_invalid_settings_row_breaks_neither_api_nor_admin_and_saving_the_form_repairs_it(
    admin: Browser, alice: Person, row: str
) -> None:
    break_table(row)
    next_second = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    with time_machine.travel(next_second, tick=False):  # a lifetime may now be one second, and no longer
        claims = jwt.decode(alice.login().refresh().access_token, options={"verify_signature": False})
        assert 1 <= claims["exp"] - claims["iat"] <= 3600
        assert alice.me().status_code == 200
    assert admin.get(SETTINGS).status_code == 200
    assert shown_messages(save_settings(admin, **GOOD)) == ["Live settings updated successfully."]
    policy.clear_cache()
    assert policy.current_policy() == settings.POLICY_DEFAULTS


@pytest.mark.parametrize("row", BROKEN.values(), ids=BROKEN)
def test_saving_the_settings_form_unchanged_keeps_the_policy_in_force(admin: Browser, row: str) -> None:
    break_table(row)
    in_force = policy.current_policy()
    answer = save_settings(admin)
    assert answer.status_code == 200
    policy.clear_cache()
    assert policy.current_policy() == in_force
