"""Date and time formats of the admin area, the same as in the log, so that the two can be compared."""

DATETIME_FORMAT = "Y-m-d H:i:s e"
DATE_FORMAT = "Y-m-d"
