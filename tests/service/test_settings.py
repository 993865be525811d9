"""Settings: sources, bounds, and a page that says what they are."""

import contextlib
import dataclasses
import datetime
from decimal import Decimal
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import ValidationError

from tests.conftest import REPOSITORY
from tumorresp.domain.segmentation import SegmenterIdentity
from tumorresp.service.settings import CHANGES_NO_RESULT, Settings
from tumorresp.service.settings_page import settings_page
from tumorresp.service.wiring import settings_digest, station_settings


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


NETWORK = SegmenterIdentity("network", "1", "ab" * 32, (("step_mm", "4"), ("margin_mm", "3")))


def another(name: str, value: Any) -> Any:
    """Return a valid value of a setting that is not the given one."""
    kind = Settings.model_fields[name].annotation
    if get_origin(kind) in (Union, UnionType):
        kind = next(part for part in get_args(kind) if part is not NoneType)
    if get_origin(kind) is Literal:
        return next(word for word in get_args(kind) if word != value)
    if kind is bool:
        return not value
    if kind in (int, float, Decimal):
        for candidate in (kind(value or 1) / 2, kind(value or 1) * 2, kind(value or 0) + 1):
            with contextlib.suppress(ValidationError):
                return getattr(Settings(**{name: candidate}), name)
    if kind is datetime.date:
        return datetime.date(2024, 2, 29)
    if kind is Path:
        return Path("elsewhere")
    if get_origin(kind) is dict:
        return {"one": "2024-02-29"}
    return ("OTHER",) if get_origin(kind) is tuple else "OTHER"


@pytest.mark.parametrize("name", sorted(set(Settings.model_fields) - CHANGES_NO_RESULT))
def test_every_setting_that_changes_results_changes_the_digest(name: str, tmp_path: Path):
    """Each field is here or on the list of those that change no result: a new one is here until it is put there."""
    before = Settings(data_dir=tmp_path)
    after = before.model_copy(update={name: another(name, getattr(before, name))})
    assert getattr(after, name) != getattr(before, name)
    assert settings_digest(after, NETWORK) != settings_digest(before, NETWORK)
    parameters = [dict(station_settings(settings, tmp_path).parameters) for settings in (before, after)]
    assert {key for key in parameters[0] if parameters[0][key] != parameters[1][key]} == {name}


@pytest.mark.parametrize("name", sorted(CHANGES_NO_RESULT))
def test_settings_that_change_no_result_do_not_evaluate_again(name: str, tmp_path: Path):
    before = Settings(data_dir=tmp_path)
    assert name in Settings.model_fields
    assert name not in dict(before.result_parameters)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(SegmenterIdentity)])
def test_everything_that_identifies_the_segmenter_changes_the_digest(field: str, tmp_path: Path):
    settings = Settings(data_dir=tmp_path)
    digests = {settings_digest(settings, NETWORK)}
    changes = {"parameters": (("step_mm", "5"), ("margin_mm", "3"))}.get(field, "other")
    digests.add(settings_digest(settings, dataclasses.replace(NETWORK, **{field: changes})))
    assert len(digests) == 2


def test_weights_are_not_taken_for_a_parameter(tmp_path: Path):
    settings = Settings(data_dir=tmp_path)
    bare = SegmenterIdentity("network", "1")
    assert len({settings_digest(settings, one) for one in (NETWORK, bare)}) == 2
    assert bare.as_pairs() == (("name", "network"), ("version", "1"))
    assert NETWORK.details[0] == ("weights_sha256", "ab" * 32)
