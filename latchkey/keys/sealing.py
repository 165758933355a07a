"""Private keys at rest: a leaked database signs nothing."""

from latchkey.core.sealing import Seal

PRIVATE_KEYS = Seal("signing key")
