"""The questions of set 08, in the order of the text."""

from tools.exercises import Question

QUESTIONS = [
    Question(
        title="How many count",
        points=2,
        answer=5,
        placeholder="a number",
        tolerance=0.4,
        hints=[
            "Which tokens does the model learn to say?",
            "The answer's tokens, and the one that says that the answer is over.",
        ],
        wrong={
            4: "The end token is to be learned, too: else the model never stops.",
            15: "The prompt is only read: 10 of these are not learned.",
            14: "That is every target of the row, the prompt's as well.",
            6: "Padding does not count.",
            3: "The answer's first token counts: the prompt's last place foretells it.",
        },
    ),
    Question(
        title="What LoRA trains",
        points=3,
        answer=24576,
        placeholder="a number",
        tolerance=0.4,
        hints=[
            "Which shapes do a and b have? The frozen weight does not count.",
            "a has 8 times n_in weights, b has n_out times 8.",
        ],
        wrong={
            1769472: "That is the frozen weight itself, 768 times 2304.",
            14155776: "You multiply a's weights by b's. Add them.",
            6144: "That is a alone.",
            18432: "That is b alone.",
            3072: "Times the rank.",
            26880: "LoRA adds no bias of its own.",
        },
    ),
    Question(
        title="How training begins",
        points=3,
        answer="B",
        placeholder='"A", "B", "C" or "D"',
        hints=[
            "What would the first step of training see if both were random? And what would reach a "
            "and b if both were 0?",
            "The gradient of a passes through b, that of b through a.",
        ],
        wrong={
            "A": "Zeros cost as much memory as other numbers.",
            "C": "If both were 0 no gradient would reach either. One of the two must not be.",
            "D": "The rank of the change grows as soon as b is no longer 0; it is at most r.",
        },
    ),
]
