"""The engine's own log lines, as structlog events and without what exceptions may carry."""

import logging
import time

import structlog

_log = structlog.get_logger()
# The engine complains at every look at a queue while the database is away: several lines, many times a second.
_REPEAT_AFTER_S = 10.0


class _ToStructlog(logging.Handler):
    """Passes on the message alone: an exception's text may hold what must not be in a log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._last_said: dict[tuple[str, int], float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record, unless the same place in the code spoke a moment ago."""
        place = record.pathname, record.lineno
        now = time.monotonic()
        if now - self._last_said.get(place, -_REPEAT_AFTER_S) < _REPEAT_AFTER_S:
            return
        self._last_said[place] = now
        reason = type(record.exc_info[1]).__name__ if record.exc_info and record.exc_info[1] else ""
        _log.log(record.levelno, "workflow engine", detail=record.getMessage(), error=reason)


def quieten_engine_log() -> None:
    """Replace the console lines of DBOS by structlog events of level WARNING and above; once is enough.

    To be called before the engine is made: DBOS adds a console handler of its own only when there is none.
    """
    logger = logging.getLogger("dbos")
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    logger.handlers = [_ToStructlog()]
