"""The command line: ``tumorresp --help``."""

from tumorresp.service.cli.main import app

__all__ = ["app"]
