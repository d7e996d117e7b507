"""Names for members, in the languages of a programme."""

from config.kernel.texts import LABEL_LENGTH, Texts, stripped, text_errors
from loyalty.errors import RuleRefused
from members.models import Programme
from members.selectors import languages_of


def labels_checked(programme: Programme, labels: Texts) -> dict[str, str]:
    """The names as they are kept. RuleRefused for a language the programme does not speak, and for long ones."""
    said = stripped(labels)
    if said:
        languages = {language.code for language in languages_of(programme)}
        if errors := list(text_errors("/labels", said, languages, LABEL_LENGTH)):
            raise RuleRefused(errors=errors)
    return said
