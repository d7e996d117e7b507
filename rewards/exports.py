"""The catalogue as rows for a spreadsheet; what is read of them again is in `rewards.services.sheet`."""

from collections.abc import Iterator

from members.models import Programme
from rewards.services.imports import known_gifts, place_of
from rewards.services.sheet import written


def gift_columns(programme: Programme) -> list[str]:
    """The columns of `gift_rows`."""
    return place_of(programme).columns()


def gift_rows(programme: Programme) -> Iterator[list[object]]:
    """Each gift that is not retired, by code, with its open version, else the one that was shown last."""
    place = place_of(programme)
    columns = place.columns()
    for known in known_gifts(programme).values():
        if known.version is not None:
            cells = written(known.reward, known.version, place)
            yield [cells.get(name, "") for name in columns]
