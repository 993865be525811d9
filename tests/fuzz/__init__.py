"""Readers and the listener against documents and messages that were changed at random.

In the suite each target gets some hundred examples; ``python -m tests.fuzz --minutes 30`` goes on for as long as
wanted, and keeps what it finds.
"""
