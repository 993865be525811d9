"""When images say that they were made, before it is decided which of these dates to believe."""

import datetime
from dataclasses import dataclass


@dataclass(frozen=True)
class ScanTimes:
    """What the images of one study, or of one reading of it, say of when they were made; None where nothing.

    Parameters
    ----------
    study, series, acquisition
        The earliest Study, Series and Acquisition Date.
    time_point_id
        Clinical Trial Time Point ID (0012,0050), empty where there is none.
    offset_days
        Longitudinal Temporal Offset from Event (0012,0052), days.
    """

    study: datetime.date | None = None
    series: datetime.date | None = None
    acquisition: datetime.date | None = None
    time_point_id: str = ""
    offset_days: float | None = None

    def earliest(self, other: "ScanTimes") -> "ScanTimes":
        """Return the times of both together."""
        offsets = [item.offset_days for item in (self, other) if item.offset_days is not None]
        return ScanTimes(
            _earlier(self.study, other.study),
            _earlier(self.series, other.series),
            _earlier(self.acquisition, other.acquisition),
            self.time_point_id or other.time_point_id,
            min(offsets, default=None),
        )


def _earlier(one: datetime.date | None, other: datetime.date | None) -> datetime.date | None:
    return min((date for date in (one, other) if date is not None), default=None)
