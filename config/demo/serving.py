"""The demo's web server and worker: on this machine only, in production's settings but without TLS."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from django.conf import settings
from django.core.management import CommandError

HOST = "127.0.0.1"
START_PATIENCE_SECONDS = 60
STOP_PATIENCE_SECONDS = 10

Process = subprocess.Popen[bytes]


def check_port(port: int) -> None:
    """CommandError when something listens there already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} of {HOST} cannot be used ({error.strerror}). Stop what listens there, or choose"
                f' another port: make demo ARGS="--port {port + 1}"'
            ) from None


def environment(role: str = "web") -> dict[str, str]:
    """What the demo's processes run under: production's settings, and what only 127.0.0.1 may do without."""
    keys = settings.VAR_DIR / "keys.json"
    generated = json.loads(keys.read_text()) if keys.exists() else {}
    return {
        "LOG_LEVEL": "WARNING",
        **generated,
        **os.environ,
        "DEBUG": "false",
        "ALLOWED_HOSTS": f"{HOST},localhost",
        "SECURE_SSL_REDIRECT": "false",
        "SECURE_COOKIES": "false",
        "LOG_JSON": "false",
        "RISTOURNE_VAR": str(settings.VAR_DIR),
        "RISTOURNE_ROLE": role,
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


def collect_static() -> Process:
    """Begin to collect the assets of all pages, so that nothing is loaded from elsewhere."""
    command = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    return subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment())


def serve(port: int) -> Process:
    """Start the web server and return once it answers. CommandError when it does not."""
    check_port(port)
    arguments = {
        "--interface": "wsgi",
        "--host": HOST,
        "--port": str(port),
        "--workers": "2",
        "--blocking-threads": "2",
        "--log-level": "warning",
    }
    options = [text for pair in arguments.items() for text in pair]
    server = subprocess.Popen(
        [sys.executable, "-m", "granian", *options, "--no-ws", "config.wsgi:application"],
        cwd=settings.BASE_DIR,
        env=environment(),
    )
    try:
        _wait_for(server, f"http://{HOST}:{port}/healthz")
    except BaseException:
        stop(server)
        raise
    return server


def work() -> Process:
    """Start a worker; jobs wait for as long as it takes to come up."""
    command = [sys.executable, "manage.py", "worker"]
    return subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment("command"))


def stop(process: Process) -> None:
    """Let requests and jobs in flight finish, then end; a job that takes too long runs again next time."""
    process.terminate()
    try:
        process.wait(STOP_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for(server: Process, address: str) -> None:
    deadline = time.monotonic() + START_PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise CommandError(f"The web server ended at once with status {server.returncode}.")
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - our own http address
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise CommandError(f"The web server did not answer within {START_PATIENCE_SECONDS} seconds.")
