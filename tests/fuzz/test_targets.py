"""Every target takes what was changed at random; a short run of what ``python -m tests.fuzz`` does for long."""

import random
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dicom_node.listener import Listener, ListenerSettings
from tests.dicom_node.ct_files import ct_image
from tests.dicom_node.hostile_peer import (
    CT,
    EXPLICIT,
    Peer,
    association_request,
    context_of,
    echo_seconds,
    p_data,
    store_command,
)
from tests.dicom_node.test_data_set_limits import in_file_bytes
from tests.dicom_node.test_listener import Index, files_of
from tests.fuzz.__main__ import trouble
from tests.fuzz.edits import KINDS, Edit, edited, random_edits
from tests.fuzz.targets import TARGETS

EDITS = st.lists(
    st.builds(
        Edit,
        st.sampled_from(KINDS),
        st.floats(0, 1),
        st.integers(0, (1 << 16) - 1),
        st.integers(0, 10).map(lambda power: 1 << power),
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_what_is_right_is_taken(target):
    for seed in target.seeds():
        assert trouble(target, seed) == ""
    assert len(target.seeds()) >= 2


# The listener has a test of its own below, which is quicker: it asks once whether all is well.
@pytest.mark.parametrize(
    "target", [target for target in TARGETS if target.name != "conversation"], ids=lambda target: target.name
)
def test_nothing_but_the_error_tree_comes_out(target):
    @settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
    @given(st.sampled_from(target.seeds()), EDITS)
    def run(seed: bytes, edits: list[Edit]) -> None:
        target.read(edited(seed, edits))

    run()


def test_the_same_random_numbers_make_the_same_document():
    (seed, *_) = TARGETS[0].seeds()
    once, again = (edited(seed, random_edits(random.Random(7))) for _ in range(2))
    assert once == again != seed


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_edit_changes_something(kind):
    seed = b'<a value="x"/>' + TARGETS[0].seeds()[0]
    assert any(edited(seed, [Edit(kind, at / 10, 3, 8)]) != seed for at in range(10))


def test_the_listener_lives_through_changed_messages(tmp_path, monkeypatch):
    """Whole conversations, with bytes changed anywhere in them; no thread dies of one, and nothing of them is left."""
    died: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda failure: died.append(str(failure.exc_value)))
    source = random.Random(20)
    content = bytes(in_file_bytes(ct_image(0), EXPLICIT))
    conversation = association_request(context_of(3, CT, EXPLICIT))
    conversation += p_data((3, 3, store_command(ct_image(0).SOPInstanceUID)), (3, 2, content))
    conversation += bytes.fromhex("05000000000400000000")
    bounds = ListenerSettings(tmp_path, port=0, artim_timeout_s=1.0, network_timeout_s=1.0, maximum_associations=100)
    index = Index()
    with Listener(bounds, index) as listener:
        for _ in range(150):
            peer = Peer(listener.port)
            peer.send(edited(conversation, random_edits(source)))
            peer.close()
        assert echo_seconds(listener.port) < 5.0  # within one: test_hostile_peers
        deadline = time.monotonic() + 30  # the last conversations may still be under way
        while set(files_of(tmp_path)) != kept(index) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert died == []
    assert set(files_of(tmp_path)) == kept(index)


def kept(index: Index) -> set[Path]:
    return {received.path for received in index.received}
