"""Why an endpoint has not answered."""

from __future__ import annotations


class Refused(Exception):
    """A name leads to an address that nothing is sent to."""


class Failed(Exception):
    """No answer came; the text says why in a few words, without anything that the other side has said."""
