"""The ledger, pure: what a posting does to one account and its lots at one instant.

`begin` settles the account and opens a Posting; `earn`, `reverse`, `take` and, for gifts, `redeem`, `hold`,
`confirm`, `release` and `give_back` add to it, `forfeit` ends it all. A Posting is plain rows and a new account state;
`loyalty.apply` is what writes it, if nothing moved meanwhile.
Points are whole, `available` excludes held ones, and debt and available are never both above zero.
"""

from loyalty.ledger.moving import earn, reverse, take
from loyalty.ledger.rows import (
    ADJUSTMENT,
    BREAKAGE,
    ISSUANCE,
    REDEMPTION,
    Account,
    Draw,
    Entry,
    Figures,
    Hold,
    Lot,
    Part,
    Posting,
    Source,
    Taken,
)
from loyalty.ledger.settling import begin, forfeit, is_due
from loyalty.ledger.spending import confirm, give_back, hold, redeem, release
from loyalty.ledger.steps import spending_order

__all__ = [
    "ADJUSTMENT",
    "BREAKAGE",
    "ISSUANCE",
    "REDEMPTION",
    "Account",
    "Draw",
    "Entry",
    "Figures",
    "Hold",
    "Lot",
    "Part",
    "Posting",
    "Source",
    "Taken",
    "begin",
    "confirm",
    "earn",
    "forfeit",
    "give_back",
    "hold",
    "is_due",
    "redeem",
    "release",
    "reverse",
    "spending_order",
    "take",
]
