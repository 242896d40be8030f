"""Arrays travel as bytes."""

import numpy as np
import pytest

from gptlib.widgets.arrays import pack

READ = {"f4": "<f4", "u1": "u1", "i4": "<i4"}


def test_what_is_packed_can_be_read_at_its_place():
    given = {
        "odd": np.arange(5, dtype=np.uint8),
        "numbers": np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),
        "turned": np.arange(6, dtype=np.int32).reshape(2, 3).T,  # not contiguous
        "big-endian": np.arange(3, dtype=">i4"),
        "empty": np.zeros((0, 4), dtype=np.float32),
    }
    data, places = pack(given)
    for name, array in given.items():
        place = places[name]
        assert place["at"] % 4 == 0
        read = np.frombuffer(data, READ[place["type"]], array.size, place["at"])
        np.testing.assert_array_equal(read.reshape(place["shape"]), array)


def test_a_type_that_the_browser_does_not_read():
    with pytest.raises(ValueError, match="x is float64: send one of float32"):
        pack({"x": np.zeros(2)})
