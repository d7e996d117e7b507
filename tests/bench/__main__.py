"""`python -m tests.bench`: the product against pgbench and a naive twin, on this machine, in one run.

Figures are ratios to pgbench running the product's own two statements of an earn. Absolute ones say more of
the machine and the hour than of the product. Only errors fail the run, missed bars do not.
"""

import argparse
import importlib
import os
import sys

import django

from tests.bench import place


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="one short round, to see that everything works")
    parser.add_argument("--only", default="", help="earn,evaluate,batch,naive,import (pgbench always runs)")
    parser.add_argument("--rounds", type=int, help="how many rounds (default 5)")
    parser.add_argument("--seconds", type=int, help="how long a sample takes (default 4)")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    with place.opened() as here:
        os.environ.update(here.environment | {"DJANGO_SETTINGS_MODULE": "tests.bench.settings"})
        django.setup()
        # Only now are there settings that its models can be loaded under.
        run = importlib.import_module("tests.bench.run")
        return int(run.run(here, given))


if __name__ == "__main__":
    sys.exit(main())
