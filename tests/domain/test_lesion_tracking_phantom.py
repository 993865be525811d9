"""The phantom's lesions, without labels, roles and identities, recognised by their true places in a moving patient."""

from functools import partial

from tumorresp.domain.lesion_tracking import TrackedTimePoint, follow_lesions
from tumorresp.domain.measurement import LesionRole, Measurement, SourceDocument
from tumorresp.phantom.thorax_abdomen import SMALL, PhantomSubject, PhantomTimePoint


def bare_measurements(scan: PhantomTimePoint) -> tuple[Measurement, ...]:
    """Return axes alone; the measurement's UID names the true lesion for the test, and nothing else reads it."""
    source = SourceDocument("test", "2.25.1")
    return tuple(
        Measurement(
            f"{lesion.course.lesion_id} at {scan.order}",
            source,
            scan.study_instance_uid,
            scan.series_instance_uid,
            "",
            None,
            lesion.long_axis,
            lesion.short_axis,
            lesion.state,
        )
        for lesion in scan.lesions
        if lesion.long_axis is not None
    )


def test_places_are_enough_while_the_patient_moves_and_breathes() -> None:
    scans = list(PhantomSubject(SMALL, reader_jitter_mm=1.0).time_points())
    points = [TrackedTimePoint(bare_measurements(scan), partial(scan.map_to, scans[0])) for scan in scans]
    results = follow_lesions("phantom", points)
    assert [result.ambiguous for result in results] == [()] * len(scans)
    found = {
        (item.measurement.measurement_uid.split()[0], item.lesion.lesion_id)
        for result in results
        for item in result.assignments
    }
    true_ids, tracked_ids = zip(*sorted(found), strict=True)
    assert len(set(true_ids)) == len(set(tracked_ids)) == len(found)
    roles = {lesion.course.lesion_id: lesion.course.role for scan in scans for lesion in scan.lesions}
    for true_id, tracked_id in found:
        assert (roles[true_id] is LesionRole.NEW) == tracked_id.startswith("NEW")
    by_position = [i for r in results[1:] for i in r.assignments if i.matched_by.startswith("position")]
    assert len(by_position) >= 6
