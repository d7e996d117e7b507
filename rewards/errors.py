"""What the catalogue and gift orders refuse."""

from config.kernel.errors import Family, RistourneError


class CategoryExists(RistourneError):
    code, family, title = "category_exists", Family.CONFLICT, "There is a category with this code"


class GiftExists(RistourneError):
    code, family, title = "gift_exists", Family.CONFLICT, "There is a gift with this code"


class IllegalStep(RistourneError):
    """A step that does not follow from the state; `allowed` says which do."""

    code, family, title = "illegal_transition", Family.CONFLICT, "This step does not follow from the state"


class GiftNotAvailable(RistourneError):
    """The gift is not validated, not live, or not for this member; `reasons` say which."""

    code, family, title = "gift_not_available", Family.CONFLICT, "The gift is not available"


class OutOfStock(RistourneError):
    code, family, title = "out_of_stock", Family.CONFLICT, "The gift is out of stock"


class LimitReached(RistourneError):
    """`limit` pieces a member (in `period`), of which `used` are."""

    code, family, title = "limit_reached", Family.CONFLICT, "The gift's limit is reached"


class OrdersUnderWay(RistourneError):
    """Somebody still has to do something for these `orders`, so the person cannot be erased yet."""

    code, family, title = "orders_under_way", Family.CONFLICT, "Gift orders are under way"


class PriceChanged(RistourneError):
    """The gift costs another number of points than whoever orders was told."""

    code, family, title = "price_changed", Family.CONFLICT, "The gift costs something else now"


class ReservationLapsed(RistourneError):
    code, family, title = "reservation_lapsed", Family.CONFLICT, "The reservation has lapsed"


class VoucherNotUsable(RistourneError):
    """One answer for unknown, used, expired and foreign codes: it tells nothing."""

    code, family, title = "voucher_not_usable", Family.CONFLICT, "The voucher cannot be used"

    def __init__(self) -> None:
        super().__init__("This code cannot be used.")


class PoolRefused(RistourneError):
    """A file of codes that cannot be taken as it is; `errors` say which rows and why."""

    code, family, title = "pool_refused", Family.UNPROCESSABLE, "These codes cannot be uploaded"
