"""The product's settings with a trivial endpoint beside it."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "tests.bench.feed.urls"
