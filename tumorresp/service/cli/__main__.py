"""``python -m tumorresp.service.cli``."""

from tumorresp.service.cli.main import app

app()
