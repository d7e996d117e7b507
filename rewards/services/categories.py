"""Writes of the category tree."""

from django.db import IntegrityError
from django.db import transaction as db_transaction

from config.kernel.errors import NotFound, ValidationFailed
from config.kernel.models import check_fields
from config.kernel.texts import Texts, text_errors
from members.models import Programme
from members.selectors import default_language, languages_of
from rewards.errors import CategoryExists
from rewards.models import Category, Picture
from rewards.models.catalogue import MAX_LEVEL
from rewards.services.content import NAME_LENGTH
from rewards.services.head import catalogue_changed


@db_transaction.atomic
def category_create(
    *,
    programme: Programme,
    code: str,
    name: Texts,
    parent: Category | None = None,
    position: int = 0,
    picture: Picture | None = None,
    is_active: bool = True,
) -> Category:
    """A new category. Raises ValidationFailed, NotFound for a parent elsewhere, and CategoryExists."""
    category = Category(programme=programme, code=code)
    category = _filled(category, name, parent, position, picture, is_active)
    try:
        with db_transaction.atomic():
            category.save(force_insert=True)
    except IntegrityError:
        raise CategoryExists(f"There is a category {code}.") from None
    catalogue_changed(programme.pk)
    return category


@db_transaction.atomic
def category_update(
    *,
    category: Category,
    name: Texts,
    parent: Category | None,
    position: int,
    picture: Picture | None,
    is_active: bool,
) -> Category:
    """Change a category or hang it elsewhere, with all below it. Raises ValidationFailed and NotFound."""
    # All of the tree, so that two moves at once make no circle.
    tree = {row.pk: row for row in Category.objects.select_for_update().filter(programme=category.programme)}
    category = tree[category.pk]
    _check_not_below(category, parent, tree)
    _filled(category, name, parent, position, picture, is_active)
    category.save()
    _level(category, tree)
    catalogue_changed(category.programme_id)
    return category


def _filled(
    category: Category,
    name: Texts,
    parent: Category | None,
    position: int,
    picture: Picture | None,
    is_active: bool,
) -> Category:
    for other in (parent, picture):
        if other is not None and other.programme_id != category.programme_id:
            raise NotFound
    category.name = {language: text.strip() for language, text in name.items() if text.strip()}
    category.parent, category.position, category.picture = parent, position, picture
    category.is_active = is_active
    category.level = parent.level + 1 if parent else 1
    _check(category)
    return category


def _check(category: Category) -> None:
    check_fields(category, checks_uniqueness=False)
    languages = {language.code for language in languages_of(category.programme)}
    errors = list(text_errors("/name", category.name, languages, NAME_LENGTH))
    if errors:
        raise ValidationFailed(errors=errors)
    if not category.name.get(default := default_language(category.programme)):
        raise ValidationFailed.at(f"/name/{default}", "missing", "The name in the default language.")
    if category.level > MAX_LEVEL:
        raise ValidationFailed.at("/parent", "too_deep", f"Categories have at most {MAX_LEVEL} levels.")


def _check_not_below(category: Category, parent: Category | None, tree: dict[int, Category]) -> None:
    above = tree.get(parent.pk) if parent else None
    while above is not None:
        if above.pk == category.pk:
            raise ValidationFailed.at("/parent", "circle", "A category is not below itself.")
        above = tree.get(above.parent_id) if above.parent_id else None


def _level(category: Category, tree: dict[int, Category]) -> None:
    """Let all below a category follow it."""
    for row in tree.values():
        if row.parent_id == category.pk:
            row.level = category.level + 1
            if row.level > MAX_LEVEL:
                raise ValidationFailed.at(
                    "/parent", "too_deep", f"Categories have at most {MAX_LEVEL} levels."
                )
            row.save(update_fields=["level"])
            _level(row, tree)
