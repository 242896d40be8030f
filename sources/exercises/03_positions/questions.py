"""The questions of set 03, in the order of the text."""

from tools.exercises import Question

QUESTIONS = [
    Question(
        title="How long is a position?",
        points=3,
        answer=8,
        placeholder="a number",
        tolerance=0.01,
        hints=[
            "What is the square of a sine plus the square of the cosine of the same angle?",
            "128 dimensions are 64 pairs, and each pair has length 1. Lengths don't add, their "
            "squares do.",
        ],
        wrong={
            64: "That is the square of the length: one for each pair.",
            128: "That counts dimensions. Each pair adds 1 to the square of the length.",
            11.3137: "You count each dimension with 1. It is each pair: sine and cosine share it.",
            1: "One pair has length 1. There are 64 of them.",
        },
    ),
    Question(
        title="A text that moves",
        points=3,
        answer="B",
        placeholder='"A", "B", "C" or "D"',
        hints=[
            "Which schemes put something into the token's vector, before W_q and W_k?",
            "Sinusoidal rows have dot products that know only the distance. But what is compared "
            "are W_q(token + row) and W_k(token + row): with weights in between, and tokens mixed "
            "in.",
        ],
        wrong={
            "A": "Rotary turns both vectors, and the angle between them stays. ALiBi charges for "
            "the distance, and that stays, too.",
            "C": "The rows' own dot products stay. But weights come between them, and the tokens' "
            "vectors are mixed in: scores change.",
            "D": "ALiBi charges for distance, and all distances stay.",
        },
    ),
    Question(
        title="A fee in numbers",
        points=3,
        answer=2.71828,
        placeholder="a number",
        tolerance=0.005,
        hints=[
            "Which slope has head 3 of 8? By how much do the two scores differ?",
            "The slope is 1/8, and the distances differ by 8. Softmax turns a difference of scores "
            "into a ratio of weights: by which function?",
        ],
        wrong={
            1: "The scores differ by 1. The weights are their exponentials.",
            3: "That is the ratio of the distances. Weights are exponentials of scores.",
            2: "Softmax takes powers of e, not of 2.",
            1.64872: "That is head 4, with slope 1/16. Heads are counted from 1.",
            7.38906: "That is head 2, with slope 1/4. Heads are counted from 1.",
            0.36788: "That is B's weight divided by A's.",
        },
    ),
]
