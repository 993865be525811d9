"""The image plane that a marked line or outline lies on."""
