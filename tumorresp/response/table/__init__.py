"""Tables of lesion measurements or of reported responses: their columns, and how rows become courses."""
