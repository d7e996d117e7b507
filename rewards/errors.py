"""What the catalogue refuses."""

from config.kernel.errors import Family, RistourneError


class CategoryExists(RistourneError):
    code, family, title = "category_exists", Family.CONFLICT, "There is a category with this code"


class GiftExists(RistourneError):
    code, family, title = "gift_exists", Family.CONFLICT, "There is a gift with this code"


class IllegalStep(RistourneError):
    """A step that does not follow from the state; `allowed` says which do."""

    code, family, title = "illegal_transition", Family.CONFLICT, "This step does not follow from the state"


class PictureRefused(RistourneError):
    """An upload that is no picture we can show, whatever its name says."""

    code, family, title = "picture_refused", Family.UNPROCESSABLE, "This picture cannot be used"
