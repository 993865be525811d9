"""The engine's own log lines, as structlog events and without what exceptions may carry."""

import logging

import structlog

_log = structlog.get_logger()


class _ToStructlog(logging.Handler):
    """Passes on the message alone: an exception's text may hold what must not be in a log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record."""
        reason = type(record.exc_info[1]).__name__ if record.exc_info and record.exc_info[1] else ""
        _log.log(record.levelno, "workflow engine", detail=record.getMessage(), error=reason)


def quieten_engine_log() -> None:
    """Replace the console lines of DBOS by structlog events of level WARNING and above; once is enough.

    To be called before the engine is made: DBOS adds a console handler of its own only when there is none.
    """
    logger = logging.getLogger("dbos")
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    logger.handlers = [_ToStructlog(logging.WARNING)]
