"""manage.py worker: run jobs and periodic tasks."""

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.kernel.jobs import work


def count(text: str) -> int:
    """A whole number from 1 to 100."""
    if not text.isdecimal() or not 0 < int(text) <= 100:
        raise ArgumentTypeError("how many jobs run at once is a number from 1 to 100")
    return int(text)


class Command(BaseCommand):
    """Any number of workers may run, on any number of machines. SIGTERM lets running jobs end."""

    help = "Run jobs and periodic tasks until SIGTERM; jobs that are running are finished first."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--queues", default="", help="only these, separated by commas (default: all)")
        parser.add_argument("--concurrency", type=count, default=4, help="jobs at once (default: 4)")
        parser.add_argument("--once", action="store_true", help="run what is due now, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        queues = [queue for queue in options["queues"].split(",") if queue]
        work(queues=queues, concurrency=options["concurrency"], drain=options["once"])
