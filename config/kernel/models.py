"""What every service asks of a row before it writes it."""

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model

from config.kernel.errors import FieldError, ValidationFailed


def check_fields(row: Model, *, checks_uniqueness: bool = True) -> None:
    """Run the validators of the row's fields and, unless the caller lets the database say it, uniqueness.

    Raises ValidationFailed, with each field's name as its JSON pointer.
    """
    # The database says whether a referenced row exists, without a query of its own.
    relations = {field.name for field in row._meta.concrete_fields if field.is_relation}
    unchecked = set() if checks_uniqueness else relations
    try:
        row.full_clean(
            exclude=unchecked, validate_unique=checks_uniqueness, validate_constraints=checks_uniqueness
        )
    except ValidationError as error:
        raise ValidationFailed(errors=_field_errors(error)) from None


def _field_errors(error: ValidationError) -> list[FieldError]:
    return [
        FieldError("" if name == NON_FIELD_ERRORS else f"/{name}", found.code or "invalid", message)
        for name, messages in error.error_dict.items()
        for found in messages
        for message in found.messages
    ]
