"""The engine's complaints are heard once, without the words of exceptions."""

import logging

import pytest
import structlog

from tumorresp.service.pipeline import engine_log


def test_messages_pass_without_exceptions_and_not_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    engine_log.quieten_engine_log()
    engine = logging.getLogger("dbos")

    def complain(number: int) -> None:
        try:
            raise KeyError("DOE^JANE")
        except KeyError as error:
            engine.warning("step retried (%d)", number, exc_info=error)

    with structlog.testing.capture_logs() as logs:
        engine.info("launched")
        complain(1)
        complain(2)
        engine.error("another place")
        monkeypatch.setattr(engine_log, "_REPEAT_AFTER_S", 0.0)
        complain(3)
    assert [log["detail"] for log in logs] == ["step retried (1)", "another place", "step retried (3)"]
    assert [log["error"] for log in logs] == ["KeyError", "", "KeyError"]
    assert [log["log_level"] for log in logs] == ["warning", "error", "warning"]
    assert "DOE" not in str(logs)
