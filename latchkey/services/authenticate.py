"""Tell whether it is one of our services that asks."""

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core.client import Client
from latchkey.core.errors import InvalidClient
from latchkey.limits.guesses import count_guess
from latchkey.services.models import NAME, ServiceCredential


def authenticate(client_id: str, secret: str, client: Client) -> None:
    """Raise InvalidClient unless the service has this secret, or TooManyAttempts where somebody goes on guessing.

    An unknown name and a wrong secret do the same work. The name is not logged: it may be a secret in the wrong place.
    """
    if NAME.fullmatch(client_id) and ServiceCredential.objects.knows(client_id, secret):
        return
    record(Event.SERVICE_REFUSED, client)
    count_guess(client, "service")
    raise InvalidClient
