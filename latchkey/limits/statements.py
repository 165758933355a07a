"""The statements that count attempts; attempts.py says what each is for. Both databases take the same words."""

SIGNING_IN = """
    SELECT %(account)s AS account, %(place)s AS place, %(free_of_account)s AS free, %(last)s AS most,
           %(never)s AS forgets WHERE {known}
    UNION ALL SELECT %(account)s, '', %(free_of_account)s, %(last)s, %(never)s WHERE NOT {known}
    UNION ALL SELECT '', %(place)s, %(free_of_place)s, %(never)s, %(forgets)s WHERE NOT {known}
""".format(known="EXISTS (SELECT 1 FROM latchkey_attempt WHERE account = %(account)s AND place = %(place)s)")
REGISTERING = """
    SELECT '' AS account, %(place)s AS place, %(free_of_place)s AS free, %(never)s AS most, %(forgets)s AS forgets
"""
MAILING = """
    SELECT %(account)s AS account, '' AS place, %(free_of_account)s AS free, %(never)s AS most,
           %(account_forgets)s AS forgets
    UNION ALL SELECT '', %(place)s, %(free_of_place)s, %(never)s, %(forgets)s
"""
CHARGE = """
WITH charged AS ({charged})
INSERT INTO latchkey_attempt AS a (account, place, failures, last_at, blocked_until)
SELECT account, place, 1, %(now)s, 0 FROM charged
 WHERE NOT EXISTS (SELECT 1 FROM latchkey_attempt AS b JOIN charged AS c ON c.account = b.account AND c.place = b.place
                    WHERE b.blocked_until > %(now)s)
 ORDER BY account, place
    ON CONFLICT (account, place) DO UPDATE
   SET (failures, last_at, blocked_until) = (
       SELECT n, %(now)s, CASE WHEN n < free THEN 0 WHEN n >= most THEN %(now)s + %(never)s
                               WHEN n >= free + 7 THEN %(now)s + %(longest_wait)s
                               ELSE %(now)s + (CAST(%(first_wait)s AS bigint) << CAST(n - free AS integer)) END
         FROM (SELECT free, most, 1 + CASE WHEN %(now)s <= a.last_at THEN a.failures
                                           WHEN (%(now)s - a.last_at) / forgets >= a.failures THEN 0
                                           ELSE a.failures - (%(now)s - a.last_at) / forgets END AS n
                 FROM charged WHERE charged.account = a.account AND charged.place = a.place) AS counted)
 WHERE a.blocked_until <= %(now)s
RETURNING account, place
"""
REFUND = """
INSERT INTO latchkey_attempt AS a (account, place, failures, last_at, blocked_until)
VALUES {refunded} ON CONFLICT (account, place) DO UPDATE
   SET failures = CASE WHEN a.account <> '' OR a.failures < 1 THEN 0 ELSE a.failures - 1 END,
       blocked_until = CASE WHEN a.account <> '' OR a.last_at <= %(now)s THEN 0 ELSE a.blocked_until END
"""
ACCOUNT = "(%(account)s, '', 0, %(now)s, 0)"
PLACE = "('', %(place)s, 0, %(now)s, 0)"
ACCOUNT_AND_DEVICE = "(%(account)s, '', 0, %(now)s, 0), (%(account)s, %(place)s, 0, %(now)s, 0)"
