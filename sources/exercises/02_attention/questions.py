"""The questions of set 02, in the order of the text."""

from tools.exercises import Question

QUESTIONS = [
    Question(
        title="Who has a say",
        points=3,
        answer="C",
        placeholder='"A", "B", "C" or "D"',
        hints=[
            "Write the formula of the weights of one query. Which of q, k and v occur in it?",
            "Weights are the softmax of scores, scores are dot products of queries and keys.",
        ],
        wrong={
            "A": "The value is larger, but no weight is: where a query looks depends on q and k.",
            "B": "Weights of a query sum to 1 whatever happens. That alone doesn't change them.",
            "D": "Values don't enter the scores, so they can't make a weight smaller either.",
        },
    ),
    Question(
        title="Shape of the weights",
        points=3,
        answer=(2, 3, 5, 5),
        placeholder="a tuple such as (1, 2, 3)",
        hints=[
            "Each head has its own table. What are its rows, and what are its columns?",
            "A table has a row for each query and a column for each key, in each head of each "
            "sequence.",
        ],
        wrong={
            (2, 3, 5, 4): "That is the shape of the heads' outputs: rows of width D. Weights have "
            "a column for each key.",
            (2, 5, 5): "Each head has its own weights: where is the dimension of the heads?",
            (2, 5, 3, 5): "Heads come before tokens: that is what the transpose is for.",
            (2, 4, 5, 5): "There are 3 heads, each 4 wide.",
            (3, 5, 5): "Each sequence of the batch has its own weights.",
        },
    ),
    Question(
        title="When the square rules",
        points=3,
        answer=1024,
        placeholder="a number",
        tolerance=0.5,
        hints=[
            "The table in 02.10 has two rows. Set them equal.",
            "8 T C² = 4 T² C. Divide both sides by 4 T C.",
        ],
        wrong={
            512: "At T = C the projections still cost twice as much.",
            2048: "You went past it: check the factors 8 and 4.",
            256: "You solved it the other way round: T is twice C, not half of it.",
        },
    ),
]
