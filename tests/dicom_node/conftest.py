"""Real peers for the tests of this folder."""

from tests.real_servers import orthanc, storescp

__all__ = ["orthanc", "storescp"]
