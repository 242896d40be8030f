"""The questions of set 01, in the order of the text."""

from tools.exercises import Question

QUESTIONS = [
    Question(
        title="How many bytes?",
        points=2,
        answer=9,
        placeholder="a number",
        hints=[
            "The table in 01.3: which row does each character need? ASCII is the first.",
            "Z, o and the space take a byte each. ë lies below 800, and 🙂 above FFFF.",
        ],
        wrong={
            5: "That is the number of characters.",
            6: "That is UTF-16's number of units. UTF-8 writes ë in two bytes and 🙂 in four.",
            8: "ë takes two bytes, 🙂 takes four: you count one of them too short.",
            10: "ë takes two bytes, not three: it lies below 800.",
            7: "🙂 lies above FFFF: it takes four bytes.",
        },
    ),
    Question(
        title="Five times a",
        points=2,
        answer=3,
        placeholder="a number",
        hints=[
            "Write it down: the five ids, and the pairs with their counts. What is left after the "
            "first merge?",
            "The first merge makes 256, 256, 97 of it. Each later one makes the list shorter by "
            "one.",
        ],
        wrong={
            4: "The first merge takes place twice, and makes the list shorter by two.",
            2: "After two merges there are still two tokens, so one pair.",
            1: "A merge joins two neighbours, not all five.",
            5: "Four would be enough even if each made the list shorter by one only.",
        },
    ),
    Question(
        title="Which model is better?",
        points=2,
        answer="B",
        placeholder='"A", "B", "C" or "D"',
        hints=[
            "Which model needs fewer nats for a text of 1000 bytes?",
            "Divide each loss by the bytes per token.",
        ],
        wrong={
            "A": "Its loss is smaller for each token, but it needs more tokens for the same text.",
            "C": "Losses per token can't be compared. But you know the bytes per token, too.",
            "D": "Compute nats per byte for both: they differ in the second digit.",
        },
    ),
]
