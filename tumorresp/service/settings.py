"""Everything that can be set, by ``TUMORRESP_*`` variables or one TOML file; ``tumorresp settings`` shows it."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from tumorresp.domain.decimal_mm import DEFAULT_PRECISION_MM

CHANGES_NO_RESULT = frozenset(
    (
        # Where things are kept and found. The segmenter's own identity, with the hash of its weights, and what a person
        # decided stand in every digest beside the settings.
        *("data_dir", "database_url", "model_dir", "segmenter", "decisions", "patient_links", "treatment_starts"),
        # Who may send, and how the service is reached.
        *("ae_title", "listen_host", "listen_port", "calling_ae_titles", "check_called_ae_title"),
        *("maximum_associations", "api_host", "api_port"),
        # What a sender may state.
        *("maximum_pdu_mib", "hard_pdu_mib", "maximum_instance_mib"),
        *("inflated_instance_mib", "inflate_ratio", "artim_timeout_s"),
        # When and by whom the work is done.
        *("quiet_seconds", "executor_id", "workers"),
        # Where results go, and how often that is tried.
        *("destinations", "delivery_first_delay_s", "delivery_factor", "delivery_longest_delay_s", "delivery_attempts"),
        *("log_format", "log_level"),
    )
)
"""Settings that change no result; every other one is part of `Settings.result_parameters`."""

AeTitle = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=16, pattern=r"^[ -\[\]-~]+$")
]
Port = Annotated[int, Field(ge=0, le=65535)]


def default_data_dir() -> Path:
    """Return the folder of the current user for what the service keeps."""
    return Path(platformdirs.user_data_dir("tumorresp"))


class DestinationSettings(BaseModel):
    """A DICOM node that gets the results."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,32}$", description="Short name, shown in status and logs")
    ae_title: AeTitle = Field(description="Called AE title")
    host: str = Field(description="Host name or address")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(description="TCP port")


class Settings(BaseSettings):
    """Settings of one installation; every field is a ``TUMORRESP_`` variable and a key of the TOML file."""

    model_config = SettingsConfigDict(
        env_prefix="TUMORRESP_", env_nested_delimiter="__", extra="forbid", frozen=True, validate_default=True
    )

    data_dir: Path = Field(default_factory=default_data_dir, description="Folder of received images, results and index")
    database_url: str = Field("", description="PostgreSQL address; empty: SQLite in the data folder")
    model_dir: Path | None = Field(None, description="Folder of network weights; empty: 'models' in the data folder")

    ae_title: AeTitle = Field("TUMORRESP", description="AE title of the listener and of the sender")
    listen_host: str = Field("0.0.0.0", description="Address the DICOM listener binds to")  # noqa: S104  a PACS calls from another host
    listen_port: Port = Field(11112, description="TCP port of the DICOM listener")
    calling_ae_titles: tuple[AeTitle, ...] = Field((), description="AE titles that may call; empty: all")
    check_called_ae_title: bool = Field(False, description="Refuse callers that use another called AE title than ours")
    maximum_associations: int = Field(10, ge=1, le=200, description="Associations served at the same time")
    maximum_pdu_mib: int = Field(1, ge=1, le=64, description="Longest message unit (PDU) that senders are told, MiB")
    hard_pdu_mib: int = Field(16, ge=1, le=256, description="A longer message unit (PDU) ends the association, MiB")
    maximum_instance_mib: int = Field(
        2048, ge=1, le=65536, description="A longer data set ends the association, MiB; it goes to disk as it comes"
    )
    inflated_instance_mib: int = Field(
        512, ge=1, le=16384, description="Deflated data sets that become larger are refused, MiB"
    )
    inflate_ratio: float = Field(
        100.0, gt=1, description="Deflated data sets that grow by more are refused, from 32 MiB on"
    )
    artim_timeout_s: float = Field(
        30.0, gt=0, le=600, description="A connection that asks for no association for this long is closed"
    )
    api_host: str = Field("127.0.0.1", description="Address the status API binds to")
    api_port: Port = Field(8042, description="TCP port of the status API; the next free one is taken if it is in use")

    quiet_seconds: float = Field(30.0, gt=0, description="A series without news for this long counts as complete")
    executor_id: str = Field(
        "", description="Name of this worker among those of one PostgreSQL database; empty: the host's name"
    )
    workers: int = Field(1, ge=1, le=64, description="Subjects evaluated at the same time in this process")

    segmenter: Literal["auto", "lite-medsam", "medsam", "geodesic-contour"] = Field(
        "auto", description="auto: lite-medsam when its weights are in the model folder, else geodesic-contour"
    )
    box_margin_mm: float = Field(3.0, ge=0, le=50, description="Margin around the axes' box")
    short_to_long_ratio: float = Field(
        0.75, gt=0, le=1, description="Assumed short/long when only a long axis is given"
    )
    sr_pixel_origin: Literal["dicom", "centre"] = Field(
        "dicom", description="Where SR pixel coordinates begin: dicom = corner of the first pixel, centre = its centre"
    )
    measurement_precision_mm: Decimal = Field(
        DEFAULT_PRECISION_MM,
        ge=0,
        le=5,
        description="Lengths are rounded to multiples of it once, when they are read (half up); 0 = as computed",
    )
    patient_links: Path | None = Field(
        None, description="CSV that says which subjects are one person: columns subject, same_as"
    )
    link_by_uid_alone: bool = Field(
        False, description="Link documents to images by UID even where patient, name and study all differ (trials)"
    )
    device_readers: tuple[str, ...] = Field(
        (), description="Names or UIDs of devices whose measurements count like a reader's; of all others none does"
    )
    visit_window_days: int = Field(
        7,
        ge=0,
        le=90,
        description="Studies at most so many days apart that measure different lesions are one time point",
    )
    decisions: Path | None = Field(
        None, description="CSV with a person's decisions on matches that wait: columns measurement_uid, lesion"
    )
    treatment_starts: Path | None = Field(
        None, description="CSV that says when treatment started: columns subject, treatment_start; decides the baseline"
    )
    radiomics: bool = Field(True, description="Compute all radiomic features, not volume, diameters and HU only")

    seg_kind: Literal["binary", "labelmap"] = Field("binary", description="Kind of DICOM SEG")
    sr_class: Literal["comprehensive", "comprehensive-3d", "enhanced"] = Field(
        "comprehensive", description="SOP class of the structured report"
    )
    secondary_capture: bool = Field(False, description="Also send overlay pictures as Secondary Capture")
    encapsulated_pdf: bool = Field(False, description="Also send the PDF report as Encapsulated PDF")

    destinations: tuple[DestinationSettings, ...] = Field((), description="Where results go")
    delivery_first_delay_s: float = Field(10.0, gt=0, description="Wait before the second try of a delivery")
    delivery_factor: float = Field(2.0, ge=1, description="Each further wait is this much longer")
    delivery_longest_delay_s: float = Field(3600.0, gt=0, description="Longest wait between tries")
    delivery_attempts: int = Field(20, ge=1, description="Tries before a delivery is given up and shown as failed")

    log_format: Literal["console", "json"] = Field("json", description="Form of the log lines of `tumorresp serve`")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged")

    @property
    def result_parameters(self) -> tuple[tuple[str, str], ...]:
        """(name, value as JSON) of every setting that can change a result, by name."""
        values = self.model_dump(mode="json", exclude=set(CHANGES_NO_RESULT))
        return tuple((name, json.dumps(values[name], sort_keys=True)) for name in sorted(values))

    @property
    def models_folder(self) -> Path:
        """Folder of network weights."""
        return self.model_dir or self.data_dir / "models"

    @property
    def database_address(self) -> str:
        """SQLAlchemy URL of the index."""
        return self.database_url or f"sqlite:///{self.data_dir / 'tumorresp.sqlite'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the base class's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the base class's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, the environment over the TOML file."""
        import os

        config = os.environ.get("TUMORRESP_CONFIG")
        toml = (TomlConfigSettingsSource(settings_cls, Path(config)),) if config else ()
        return (init_settings, env_settings, *toml)
