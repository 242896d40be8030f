"""The questions of set 09, in the order of the text."""

from tools.exercises import Question

QUESTIONS = [
    Question(
        title="A parrot's precision",
        points=2,
        answer=0.25,
        placeholder="a number",
        tolerance=0.004,
        hints=[
            "How often does the reference have 'the'?",
            "Of the four words one can be matched.",
        ],
        wrong={
            1.0: "Without clipping it would be. A word of the reference is used up by a match.",
            0.5: "The reference has 'the' once.",
            0.333: "That divides by the reference's words: a recall.",
            0: "One 'the' is right.",
        },
    ),
    Question(
        title="Nothing to say",
        points=2,
        answer=40,
        placeholder="a number, in percent",
        tolerance=0.4,
        hints=[
            "What is the right answer to a question that has none?",
            "It is right for the 40, wrong for the 60.",
        ],
        wrong={
            0: "Where there is no answer, saying nothing is right.",
            60: "These it gets wrong.",
            100: "Only for questions without an answer it is right.",
            50: "It does not depend on chance: it always says nothing.",
        },
    ),
    Question(
        title="All is outside",
        points=3,
        answer="C",
        placeholder='"A", "B", "C" or "D"',
        hints=[
            "Which tags does it get right, and which spans?",
            "It finds no span at all. What is then the number of right ones?",
        ],
        wrong={
            "A": "Most tags are O, and these are right. What is it that the F1 counts?",
            "B": "The tags are right to 90%. Spans are another matter.",
            "D": "It is the other way round: where most is O, tags say little.",
        },
    ),
]
