"""The questions of set 05, in the order of the text."""

from tools.exercises import Question

QUESTIONS = [
    Question(
        title="Unsure every second time",
        points=3,
        answer=1.41421,
        placeholder="a number",
        tolerance=0.005,
        hints=[
            "What is the loss of a certain, right prediction? And of one out of two equally likely "
            "tokens?",
            "The mean of 0 and ln 2. Then e to the power of it.",
        ],
        wrong={
            1.5: "That is the mean of the perplexities 1 and 2. Average the losses first.",
            2: "That is the perplexity of the unsure half alone.",
            0.34657: "That is the mean loss in nats. Perplexity is its exponential.",
            0.5: "That is the mean loss in bits, or a probability. Perplexity is at least 1.",
            1: "Perplexity 1 would mean certainty at every token.",
        },
    ),
    Question(
        title="Below the floor",
        points=3,
        answer="C",
        placeholder='"A", "B", "C" or "D"',
        hints=[
            "Loss is the entropy of the world plus a KL divergence. Which sign has the second?",
            "On *new* stories of the world the mean can't be below. So what is it that was "
            "measured?",
        ],
        wrong={
            "A": "A better model comes closer to the floor. No model is below it on average.",
            "B": "A high learning rate makes losses large, or nan, not too small.",
            "D": "Chance makes a few stories cheap. Over thousands it averages out.",
        },
    ),
    Question(
        title="A loss three times as large",
        points=3,
        answer="B",
        placeholder='"A", "B", "C" or "D"',
        hints=[
            "What happens to m and to v when every gradient is three times as large?",
            "m grows threefold, v ninefold, and its root?",
        ],
        wrong={
            "A": "m is three times as large, but so is the root of v, by which it is divided.",
            "C": "v grows ninefold, but a step divides by its root.",
            "D": "That would be so if the decay were part of the gradient. In AdamW it is apart: "
            "rate times decay times weight.",
        },
    ),
]
