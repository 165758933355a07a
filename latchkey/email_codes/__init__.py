"""One-time codes and links by e-mail, for verification, password reset and change of address.

Read `models.py` first, then `issue.py` and `redeem.py`. It knows purposes by name only: what a redeemed code allows is
done by the feature that redeems it, in the same transaction. A link never signs in: magic links are not offered.
"""
