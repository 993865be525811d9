"""What docs/connect-a-pacs.md tells people to do works."""

import re
import time
from pathlib import Path

import pytest

from dicom_node import listener as listener_module
from dicom_node.listener import Listener, ListenerSettings
from dicom_node.sender import Destination, send
from tests.conftest import REPOSITORY
from tests.dicom_node.ct_files import ct_image, with_meta, write
from tests.dicom_node.test_listener import Index
from tests.real_servers import running_orthanc

PAGE = (REPOSITORY / "docs" / "connect-a-pacs.md").read_text("utf-8")


@pytest.mark.real_server
def test_orthanc_forwards_images_and_not_our_results(tmp_path: Path):
    script = tmp_path / "forward.lua"
    (lua,) = re.findall(r"```lua\n(.*?)```", PAGE, re.DOTALL)
    script.write_text(lua, "utf-8")
    images = write(tmp_path / "ct", *(ct_image(z) for z in (0, 5, 10)))
    other = write(tmp_path / "mr", with_meta(ct_image(0, "mr", Modality="MR")))
    result = write(tmp_path / "sr", with_meta(ct_image(0, "result", Modality="SR")))
    index = Index()
    with (
        Listener(ListenerSettings(tmp_path / "incoming", port=0), index) as listener,
        running_orthanc(
            tmp_path / "orthanc",
            "ARCHIVE",
            LuaScripts=[str(script)],
            DicomModalities={"tumorresp": ["TUMORRESP", "127.0.0.1", listener.port]},
        ) as orthanc,
    ):
        for paths, calling in ((images, "SCANNER"), (other, "SCANNER"), (result, "TUMORRESP")):
            send(paths, Destination("archive", "ARCHIVE", orthanc.host, orthanc.dicom_port, calling))
        deadline = time.monotonic() + 20
        while len(index.held) < len(images) and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1.5)  # long enough for the others to become stable, too
    assert len(index.held) == 3
    assert {received.header.modality for received in index.received} == {"CT"}


def test_the_statuses_on_the_page_are_those_that_are_answered():
    on_page = set(re.findall(r"^\| ([0-9A-F]{4}) \|", PAGE, re.MULTILINE))
    in_code = set(re.findall(r"^([0-9A-F]{4})  ", listener_module.__doc__ or "", re.MULTILINE))
    assert on_page == in_code
