"""Log lines: JSON in production, coloured text for people; UIDs and pseudonyms only."""

import logging
import sys
import warnings

import structlog

from tumorresp.service.settings import Settings


def silence_libraries() -> None:
    """Keep the DICOM libraries' own remarks off the terminal and out of the logs: they quote names and values."""
    for name in ("pydicom", "pynetdicom", "highdicom", "radiomics"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
        warnings.filterwarnings("ignore", module=rf"{name}(\.|$)")


def configure_logs(settings: Settings) -> None:
    """Send structlog's and the libraries' lines to standard error in the form that the settings ask for."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    renderer = structlog.processors.JSONRenderer() if settings.log_format == "json" else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries may name files, tags and values: only where their warnings come from is logged.
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format='{"level": "%(levelname)s", "logger": "%(name)s"}'
    )
    silence_libraries()
