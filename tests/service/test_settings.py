"""Settings: sources, bounds, and a page that says what they are."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.conftest import REPOSITORY
from tumorresp.service.settings import Settings
from tumorresp.service.settings_page import settings_page


def test_the_page_is_what_the_settings_are():
    assert (REPOSITORY / "docs" / "settings.md").read_text("utf-8") == settings_page()


def test_variables_win_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "tumorresp.toml"
    file.write_text(
        'ae_title = "FROMFILE"\nquiet_seconds = 5\n'
        '[[destinations]]\nname = "pacs"\nae_title = "ARCHIVE"\nhost = "localhost"\nport = 104\n',
        "utf-8",
    )
    monkeypatch.setenv("TUMORRESP_CONFIG", str(file))
    monkeypatch.setenv("TUMORRESP_QUIET_SECONDS", "2.5")
    settings = Settings()
    assert settings.ae_title == "FROMFILE"
    assert settings.quiet_seconds == 2.5
    assert [(d.name, d.port) for d in settings.destinations] == [("pacs", 104)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AE_TITLE", "SEVENTEEN-LETTERS"),
        ("AE_TITLE", "back\\slash"),
        ("LISTEN_PORT", "70000"),
        ("QUIET_SECONDS", "0"),
        ("SHORT_TO_LONG_RATIO", "1.2"),
        ("SEG_KIND", "fractional"),
    ],
)
def test_meaningless_values_are_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(f"TUMORRESP_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_an_unknown_key_in_the_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "tumorresp.toml"
    file.write_text('ae_titel = "X"\n', "utf-8")
    monkeypatch.setenv("TUMORRESP_CONFIG", str(file))
    with pytest.raises(ValidationError, match="ae_titel"):
        Settings()


def test_the_database_is_in_the_data_folder_unless_named(tmp_path: Path):
    assert Settings(data_dir=tmp_path).database_address == f"sqlite:///{tmp_path / 'tumorresp.sqlite'}"
    assert Settings(data_dir=tmp_path, database_url="postgresql://db/x").database_address == "postgresql://db/x"
