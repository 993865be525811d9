"""Figures of a cohort: waterfall, spider, swimmer and survival, as PNG and SVG for papers and HTML for screens."""
