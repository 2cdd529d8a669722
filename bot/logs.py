"""One JSON line an event on stderr, with alert, actor and request where they are known; masked before it is written."""

import logging
import sys
from typing import Any

import structlog

from bot.masking import mask

QUIET = (
    "aiohttp.access", "alembic", "apscheduler", "boto3", "botocore", "dbos", "slack_bolt", "slack_sdk", "urllib3",
    "uvicorn.access", "uvicorn.error",
)


def configure(level: str) -> None:
    """Sends our events and those of the libraries through one form."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendering: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        _masked,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=rendering))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)


def _masked(_logger: Any, _method: str, event: Any) -> Any:
    return mask(event)
