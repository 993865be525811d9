"""Readers of measurements, one module a format; `reading` picks the right one."""
