"""Hands the workshops to the pipeline: the only module that knows them all."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dicom_node
import models
import reports
from dicom_node import sender
from dicom_node.ct_volume import read_ct_volume
from dicom_node.inflating import MIB, InflateLimits
from dicom_node.instance_header import read_planes
from dicom_node.listener import Listener, ListenerSettings
from dicom_node.measurements.life_facts import read_document_facts
from dicom_node.measurements.reading import read_measurements
from dicom_node.patient import read_patient
from models import catalogue
from models.geodesic_contour import GeodesicContour
from models.propagation import Propagation
from reports.result_writer import DicomResultWriter, OutputSwitches
from tumorresp.domain.errors import InvalidSettings
from tumorresp.domain.identity import digest
from tumorresp.domain.measurement import MarkedMeasurement
from tumorresp.domain.segmentation import SegmenterIdentity
from tumorresp.domain.version import SOFTWARE_VERSION
from tumorresp.ports import LesionSegmenter
from tumorresp.service.decisions import read_decisions, read_patient_links, treatment_start_of
from tumorresp.service.listener_index import ListenerIndex
from tumorresp.service.pipeline.durable import DurableEngine, EngineSettings
from tumorresp.service.pipeline.inputs import DocumentRules, InputIndex, StationSettings, Workshops
from tumorresp.service.pipeline.line import LineSettings
from tumorresp.service.pipeline.stations import Stations
from tumorresp.service.series_links import SeriesLinks
from tumorresp.service.settings import Settings
from tumorresp.service.storage_watch import StorageWatch
from tumorresp.service.store import Backoff, Store
from tumorresp.service.store_index import StoreIndex

OWNER = "tumorresp"


@dataclass(frozen=True, eq=False)
class Service:
    """The parts of a running service."""

    store: Store
    engine: DurableEngine
    listener: Listener
    storage: StorageWatch


def create_segmenter(settings: Settings) -> LesionSegmenter:
    """Return the segmenter that the settings name.

    Raises
    ------
    WeightsNotFound, InvalidWeights
        If a network is asked for by name and its weights are absent or wrong.
    """
    name = settings.segmenter
    if name == "auto":
        name = catalogue.best_available(settings.models_folder)  # type: ignore[assignment]  # one of the names
    if name == catalogue.GEODESIC_CONTOUR:
        return GeodesicContour()
    return Propagation(catalogue.create_slice_segmenter(name, settings.models_folder))


def create_workshops(settings: Settings) -> Workshops:
    """Return the workshops' faces.

    Raises
    ------
    InvalidSettings
        If another installed package has overwritten one of ours.
    """
    for package in (dicom_node, models, reports):
        if getattr(package, "OWNER", None) != OWNER:
            raise InvalidSettings(
                "another installed package has overwritten this one.",
                where=package.__name__,
                remedy="Install tumorresp into an environment of its own.",
            )
    return Workshops(
        read_planes=read_planes,
        read_ct_volume=read_ct_volume,
        read_measurements=functools.partial(_read_measurements, settings),
        read_document_facts=read_document_facts,
        read_patient=read_patient,
        segmenter=functools.lru_cache(maxsize=1)(functools.partial(create_segmenter, settings)),
        results=DicomResultWriter(output_switches(settings)),
    )


def output_switches(settings: Settings) -> OutputSwitches:
    """Return what kinds of results are written."""
    return OutputSwitches(
        segmentation=settings.seg_kind,
        report=settings.sr_class,
        secondary_capture=settings.secondary_capture,
        encapsulated_pdf=settings.encapsulated_pdf,
    )


def create_stations(settings: Settings, index: InputIndex, work_folder: Path) -> Stations:
    """Return the stations over an index, working in a folder."""
    return Stations(index, create_workshops(settings), station_settings(settings, work_folder))


def station_settings(settings: Settings, work_folder: Path) -> StationSettings:
    """Return what the stations take from the settings."""
    return StationSettings(
        work_folder=work_folder,
        parameters=settings.result_parameters,
        decisions=functools.partial(read_decisions, settings.decisions),
        treatment_start=functools.partial(treatment_start_of, settings.treatment_starts),
        box_margin_mm=settings.box_margin_mm,
        short_to_long_ratio=settings.short_to_long_ratio,
        radiomics=settings.radiomics,
        documents=DocumentRules(
            device_readers=settings.device_readers,
            link_by_uid_alone=settings.link_by_uid_alone,
            measurement_precision_mm=settings.measurement_precision_mm,
            visit_window_days=settings.visit_window_days,
        ),
    )


def settings_digest(settings: Settings, segmenter: SegmenterIdentity) -> str:
    """Name what results are made with: with another digest every subject is evaluated again."""
    pairs = (*segmenter.as_pairs(), *settings.result_parameters)
    return digest([SOFTWARE_VERSION, [list(pair) for pair in pairs]])


def build_service(settings: Settings) -> Service:
    """Build, but do not start, the service.

    Raises
    ------
    InvalidSettings
        If the settings contradict each other.
    WeightsNotFound, InvalidWeights
        If the network that the settings name cannot be used.
    """
    names = [destination.name for destination in settings.destinations]
    if len(set(names)) != len(names):
        raise InvalidSettings("two destinations have the same name.", where="destinations")
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)  # the index holds Patient IDs
    workshops = create_workshops(settings)
    identity = workshops.segmenter().identity
    store = Store(settings.database_address)
    work = settings.data_dir / "work"
    stations = Stations(StoreIndex(store), workshops, station_settings(settings, work))
    line = LineSettings(
        quiet_seconds=settings.quiet_seconds,
        settings_digest=settings_digest(settings, identity),
        destinations=tuple(names),
        delivery_backoff=Backoff(
            settings.delivery_first_delay_s,
            settings.delivery_factor,
            settings.delivery_longest_delay_s,
            settings.delivery_attempts,
        ),
    )
    links = SeriesLinks(store, workshops, functools.partial(read_patient_links, settings.patient_links))
    engine = DurableEngine(
        EngineSettings(
            line=line, executor_id=settings.executor_id, workers=settings.workers, data_folder=settings.data_dir
        ),
        store,
        stations,
        Deliverer(settings).send,
        links.subjects_of_series,
    )
    storage = StorageWatch(settings.data_dir)
    listener = Listener(listener_settings(settings), ListenerIndex(store, storage.stored), storage.turned_away)
    return Service(store, engine, listener, storage)


def listener_settings(settings: Settings) -> ListenerSettings:
    """Return what the listener takes from the settings."""
    return ListenerSettings(
        ae_title=settings.ae_title,
        host=settings.listen_host,
        port=settings.listen_port,
        calling_ae_titles=settings.calling_ae_titles,
        check_called_ae_title=settings.check_called_ae_title,
        maximum_associations=settings.maximum_associations,
        maximum_pdu_size=settings.maximum_pdu_mib * MIB,
        hard_pdu_size=settings.hard_pdu_mib * MIB,
        maximum_data_set_size=settings.maximum_instance_mib * MIB,
        inflate_limits=InflateLimits(settings.inflated_instance_mib * MIB, settings.inflate_ratio),
        artim_timeout_s=settings.artim_timeout_s,
        folder=settings.data_dir / "incoming",
    )


class Deliverer:
    """Sends results to the destinations of the settings, by name."""

    def __init__(self, settings: Settings) -> None:
        self._destinations = {
            item.name: sender.Destination(
                item.name, item.ae_title, item.host, item.port, calling_ae_title=settings.ae_title
            )
            for item in settings.destinations
        }

    def send(self, path: Path, destination: str) -> None:
        """Send one object.

        Raises
        ------
        DeliveryFailed
            If the destination does not take it.
        InvalidSettings
            If no destination has that name (any more).
        """
        if destination not in self._destinations:
            raise InvalidSettings("no destination has this name any more.", where=destination)
        sender.send([path], self._destinations[destination])


def _read_measurements(settings: Settings, path: Path) -> Sequence[MarkedMeasurement]:
    return read_measurements(path, pixel_origin=settings.sr_pixel_origin)
