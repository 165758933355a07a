"""Wakes the courier of this process when a mail was posted in it; couriers elsewhere find it when they look again."""

from threading import Event

BELL = Event()
