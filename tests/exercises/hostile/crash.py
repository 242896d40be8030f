"""Reads address 0, which crashes Python."""

import ctypes

ctypes.string_at(0)
