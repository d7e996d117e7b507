"""manage.py demo: prepare, print, serve."""

import signal
import time
from argparse import ArgumentTypeError
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils import timezone

from config.demo import place, serving
from config.demo.preparing import prepare
from config.demo.sheet import sheet
from config.kernel import postgres
from config.kernel.db.base import is_private


def port_number(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ArgumentTypeError("a port is a number from 1 to 65535")
    return int(text)


class Command(BaseCommand):
    """Everything on this machine: a private PostgreSQL, two programmes, a web server and a worker."""

    help = "Prepare the demo, say where to look, and serve it until Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--prepare", action="store_true", help="only prepare, do not serve")
        parser.add_argument("--port", type=port_number, default=8000)
        parser.add_argument("--reset", action="store_true", help="start over: forget what was booked")

    def handle(self, *args: Any, **options: Any) -> None:
        # Also where a shell started it in the background, with SIGINT ignored.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _interrupt)
        began = time.monotonic()
        if not options["prepare"]:
            serving.check_port(options["port"])
        was_running = self._is_server_running()
        try:
            secrets = self._prepared(options)
            if not options["prepare"]:
                self._serve(options["port"], secrets, began)
        except KeyboardInterrupt:
            self.stdout.write("\nStopped.")
        else:
            self.stdout.write(f"Prepared in {time.monotonic() - began:.0f} s.")
            return
        finally:
            connection.close()
            if not was_running and not options["prepare"]:
                postgres.stop()

    def _prepared(self, options: dict[str, Any]) -> dict[str, Any]:
        collecting = serving.collect_static()
        try:
            if options["reset"]:
                place.clear()
            place.claim()
            secrets = prepare(self._say, options["verbosity"])
            secrets["base_url"] = f"http://{serving.HOST}:{options['port']}"
            place.secrets_write(secrets)
            if collecting.wait():
                raise CommandError("The assets of the pages could not be collected.")
        finally:
            serving.stop(collecting)
        return secrets

    def _serve(self, port: int, secrets: dict[str, Any], began: float) -> None:
        self._say("Starting the web server")
        connection.close()
        server = serving.serve(port)
        worker = serving.work()
        try:
            self._say(f"Ready after {time.monotonic() - began:.0f} s")
            self.stdout.write(sheet(secrets, timezone.now()))
            self.stdout.flush()
            connection.close()
            raise CommandError(f"The web server ended with status {server.wait()}.")
        finally:
            serving.stop(worker)
            serving.stop(server)

    def _say(self, text: str) -> None:
        self.stdout.write(f"{text} ...")
        self.stdout.flush()

    def _is_server_running(self) -> bool:
        """Whether the database is served by somebody else, or before the demo began."""
        return (
            not is_private(connection.settings_dict)
            or postgres.Server(postgres.project_var() / "postgres").answers()
        )


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Ctrl-C and a polite kill end the demo alike."""
    raise KeyboardInterrupt
