"""The DICOM node: listener, sender, CT volumes and measurement readers."""

OWNER = "tumorresp"
