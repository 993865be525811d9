"""Numbers measured on lesion masks, and the registration that finds a lesion again in a later scan."""
