"""Who observed what a report says (PS3.16 TID 1001 to 1004): a person, or a device by itself."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydicom.uid import ChestCADSRStorage, ColonCADSRStorage, MammographyCADSRStorage

from dicom_node.measurements.sr_content import ContentItem
from tumorresp.domain.observers import person_name
from tumorresp.domain.terminology import Code

_OBSERVER_TYPE = Code("121005", "DCM", "Observer Type")
_DEVICE = Code("121007", "DCM", "Device")
_PERSON_NAME = Code("121008", "DCM", "Person Observer Name")
# The words by which people know a device, best first.
_DEVICE_NAMES = (
    Code("121013", "DCM", "Device Observer Name"),
    Code("121015", "DCM", "Device Observer Model Name"),
    Code("121014", "DCM", "Device Observer Manufacturer"),
    Code("121012", "DCM", "Device Observer UID"),
)
_CAD_CLASSES = frozenset((ChestCADSRStorage, ColonCADSRStorage, MammographyCADSRStorage))
_UNNAMED_DEVICE = "unnamed device"


@dataclass(frozen=True)
class Observer:
    """Who observed: a person's name (empty when none is stated), or a device where no person is named."""

    person: str = ""
    device: str = ""


def document_observer(root: ContentItem, sop_class_uid: str, groups: Iterable[ContentItem]) -> Observer:
    """Return who a whole report is by.

    Parameters
    ----------
    sop_class_uid
        A report of computer-aided detection is a device's where no person is named.
    groups
        Measurement groups, whose own observers are theirs alone.
    """
    observer = observer_of(_outside(root, {id(group) for group in groups}))
    if observer is None or not (observer.person or observer.device):
        return Observer(device=_UNNAMED_DEVICE) if sop_class_uid in _CAD_CLASSES else Observer()
    return observer


def observer_of(items: Iterable[ContentItem]) -> Observer | None:
    """Return the observer that some content items state, None where they state none.

    A named person beside a device used the device. A person without a name beside a device did not measure: the device
    did, until somebody names it as a reader.
    """
    people: list[str] = []
    devices: dict[str, str] = {}
    is_device = is_stated = False
    for item in items:
        if item.is_named(_OBSERVER_TYPE):
            code = item.code()
            is_stated = True
            is_device = is_device or (code is not None and code.same_concept(_DEVICE))
        elif item.is_named(_PERSON_NAME):
            is_stated = True
            people.append(person_name(item.text()))
        elif item.is_named(*_DEVICE_NAMES) and item.name is not None:
            is_stated = is_device = True
            devices.setdefault(item.name.value, item.text())
    if not is_stated:
        return None
    person = next((name for name in people if name), "")
    if person or not is_device:
        return Observer(person=person)
    return Observer(device=next((n for code in _DEVICE_NAMES if (n := devices.get(code.value, ""))), _UNNAMED_DEVICE))


def _outside(item: ContentItem, groups: set[int]) -> Iterator[ContentItem]:
    for child in item.children:
        if id(child) not in groups:
            yield child
            yield from _outside(child, groups)
