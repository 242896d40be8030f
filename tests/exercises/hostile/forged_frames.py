"""Writes into the pipe to the grader itself: forged answers, numbers, lengths and an end."""

import contextlib
import os

forged = b"".join(
    (
        b"answers 02.1 0\n",
        b"answers 02.3 4\n{}{}",
        b"cell 99999999999999999999 0\n",
        b"cell -1 0\n",
        b"error 1 3\n\xff\xfe\xfd",
        b"ready - 0\n" * 50,
        b"grade 02.1 2\n12",
        b"answers ../../../tmp/evil 0\n",
    )
)
for number in range(3, 30):
    with contextlib.suppress(OSError):
        os.write(number, forged)


def softmax(x, dim):
    return x
