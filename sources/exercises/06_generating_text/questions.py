"""The questions of set 06, in the order of the text."""

from tools.exercises import Question

QUESTIONS = [
    Question(
        title="Half the temperature",
        points=2,
        answer=0.783,
        placeholder="a number",
        tolerance=0.004,
        hints=[
            "A temperature of one half squares the probabilities. What do the squares sum to?",
            "The squares are 0.36, 0.09 and 0.01. Divide the first by their sum.",
        ],
        wrong={
            0.36: "That is the square. Squares don't sum to 1: share out anew.",
            0.473: "You took square roots. That is temperature 2.",
            0.6: "Temperature 1 leaves it as it is. This one is colder.",
            1.2: "You divided the probability. No probability is above 1.",
            0.522: "You divided the probabilities and took a softmax of them. Divide logits, which "
            "are their logarithms.",
        },
    ),
    Question(
        title="Which rule",
        points=2,
        answer="B",
        placeholder='"A", "B", "C" or "D"',
        hints=[
            "How many tokens does each rule keep at the sure place, and how many at the open one?",
            "At the sure place 0.97 holds 0.9 by itself. At the open place no token has more than "
            "a fiftieth, and all are equal.",
        ],
        wrong={
            "A": "With k = 1 the open place loses 49 good tokens. That is greedy search.",
            "C": "With k = 50 the sure place keeps 49 tokens that make no sense there.",
            "D": "A low temperature makes the sure place surer, but cuts nothing, and lets all 50 "
            "stay at the open one. It is as blind as it is at any other place.",
        },
    ),
    Question(
        title="Reading again",
        points=3,
        answer=6950,
        placeholder="a number",
        tolerance=0.4,
        hints=[
            "How many tokens does the model read before it says its first new one? And its second?",
            "It reads 20, then 21, and so on. Before the hundredth it has said 99 new ones: 119. "
            "Add them up.",
        ],
        wrong={
            7050: "You begin with 21. Before the first new token it reads the prompt alone.",
            119: "That is with a cache: the prompt once, and each new token once but the last.",
            120: "With a cache it would be one less, as nobody reads the last token. But there is "
            "none here.",
            7140: "You sum 1 to 119, as if the prompt came token by token. It is read at once.",
            7260: "You sum 1 to 120. The prompt is read at once, and the last token by nobody.",
            12000: "At the first step there are 20 tokens to read, not 120.",
            4950: "Those are the new tokens alone. The prompt is read each time, too.",
            5050: "Those are the new tokens alone. The prompt is read each time, too, and the last "
            "new one never.",
        },
    ),
]
