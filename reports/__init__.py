"""What goes out: DICOM SEG and SR, pictures, pages, tables."""

OWNER = "tumorresp"
