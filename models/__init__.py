"""Segmenters, their weights, and from one slice to a volume."""

OWNER = "tumorresp"
