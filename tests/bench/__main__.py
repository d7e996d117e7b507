"""`python -m tests.bench`: the product against pgbench and a naive twin, on this machine, in one run.

Figures are ratios to pgbench running the product's own two statements of an earn. Absolute ones say more of
the machine and the hour than of the product. Only errors fail the run, missed bars do not.
"""

import argparse
import importlib
import os
import signal
import sys

import django
from django.core.management import call_command

from tests.bench import place

CONTENDERS = ("earn", "evaluate", "redeem", "batch", "naive", "import")


def contenders(text: str) -> set[str]:
    """An --only."""
    if unknown := {*text.split(",")} - {*CONTENDERS}:
        raise argparse.ArgumentTypeError(f"no contender {', '.join(sorted(unknown))}")
    return {*text.split(",")}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="one short round, to see that everything works")
    parser.add_argument(
        "--only", type=contenders, default=set(), help=f"{','.join(CONTENDERS)} (pgbench always runs)"
    )
    parser.add_argument("--rounds", type=int, help="how many rounds (default 5)")
    parser.add_argument("--seconds", type=int, help="how long a sample takes (default 4)")
    parser.add_argument(
        "--journey", action="store_true", help="load the year of manage.py load_complete_journey instead"
    )
    parser.add_argument("--baskets", type=int, help="with --journey: only the first so many")
    parser.add_argument(
        "--replay",
        nargs="?",
        const="",
        metavar="CODE",
        help="only the replay of a draft, over a year made of the sample or over a programme's baskets",
    )
    return parser.parse_args()


def replay(code: str | None) -> int:
    """Measure a replay, over the baskets of a programme that is there or of one made for it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    return int(importlib.import_module("tests.bench.replay").run(code))


def main() -> int:
    given = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that a run that is ended cleans up as well
    if given.replay:
        return replay(given.replay)
    with place.opened() as here:
        os.environ.update(here.environment | {"DJANGO_SETTINGS_MODULE": "tests.bench.settings"})
        django.setup()
        if given.replay is not None:
            call_command("migrate", verbosity=0, interactive=False)
            return replay(None)
        # Only now are there settings that its models can be loaded under.
        run = importlib.import_module("tests.bench.year" if given.journey else "tests.bench.run")
        return int(run.run(here, given))


if __name__ == "__main__":
    sys.exit(main())
