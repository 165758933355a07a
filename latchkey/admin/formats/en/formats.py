"""How pages write times: as the log does, so that the two can be compared."""

DATETIME_FORMAT = "Y-m-d H:i:s e"
DATE_FORMAT = "Y-m-d"
