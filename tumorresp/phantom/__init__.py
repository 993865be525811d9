"""A thorax and abdomen CT phantom with lesions of known volume and axes: arrays and geometry, no DICOM."""
