"""Structured logs: JSON lines or plain ones, with tracebacks that do not show the values of variables."""

import logging
from typing import Any

import msgspec
import structlog

_LEVELS = {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}


def _to_json(event: dict[str, Any], **_: object) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()


class _OwnLines(logging.Filter):
    """Each job has its own line already (`config.kernel.jobs`); the queue's would repeat its arguments."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(getattr(record, "action", "")).startswith("job_")


class _Unforeseen(logging.Filter):
    """Of what Django says about requests only exceptions nobody expected, without path and its codes."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = "unexpected_error", ()
        return record.exc_info is not None


def logging_config(*, as_json: bool, level: str) -> dict[str, Any]:
    """Set up structlog and return Django's `LOGGING`, so that both write the same lines to standard output.

    Raises ValueError for an unknown level.
    """
    if level not in _LEVELS:
        raise ValueError(f"LOG_LEVEL must be one of {sorted(_LEVELS)}, not {level!r}.")
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    render: Any = (
        structlog.processors.JSONRenderer(serializer=_to_json)
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback, sort_keys=False
        )
    )
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    return _standard_library(shared, render, level)


def _standard_library(shared: list[Any], render: Any, level: str) -> dict[str, Any]:
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        "foreign_pre_chain": [structlog.stdlib.add_logger_name, *shared],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structlog": formatter},
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": "structlog",
            }
        },
        "filters": {"jobs": {"()": _OwnLines}, "unforeseen": {"()": _Unforeseen}},
        "root": {"handlers": ["stdout"], "level": "WARNING"},
        "loggers": {
            # Each request has its own line already; Django's would repeat paths and their codes.
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.request": {"level": "ERROR", "filters": ["unforeseen"]},
            # Strangers who try other host names are told 400; they may not fill the log with tracebacks.
            "django.security.DisallowedHost": {"handlers": [], "level": "CRITICAL"},
            "django.server": {"handlers": [], "level": "CRITICAL", "propagate": False},
            "procrastinate": {"level": "WARNING"},
            "procrastinate.worker": {"filters": ["jobs"]},
        },
    }
