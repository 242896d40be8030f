"""The questions of set 07, in the order of the text."""

from tools.exercises import Question

QUESTIONS = [
    Question(
        title="A shape in the file",
        points=2,
        answer=(768, 2304),
        placeholder="a tuple such as (1, 2)",
        hints=[
            "How many numbers go in, and how many come out? What comes first in GPT-2's file?",
            "In are 768, out are three times as many: q, k and v. GPT-2's file has (in, out).",
        ],
        wrong={
            (2304, 768): "That is what `nn.Linear` keeps. GPT-2's file has (in, out).",
            (768, 768): "That is `attn.c_proj`. `c_attn` makes q, k and v at once.",
            (768, 3072): "That is `mlp.c_fc`, four times as wide.",
            (3072, 768): "That is `mlp.c_proj`.",
            (12, 768, 192): "The heads share one matrix; they are cut afterwards.",
        },
    ),
    Question(
        title="How many new ones",
        points=2,
        answer=42,
        placeholder="a number",
        tolerance=0.4,
        hints=[
            "Which of `max_length` and `max_new_tokens` counts the prompt?",
            "All together there may be 50 tokens, and 8 are there.",
        ],
        wrong={
            50: "`max_length` counts the prompt, too.",
            58: "`max_length` is no number of new tokens: it counts the prompt, too.",
            20: "That is what you get if you say nothing. Here `max_length` is given.",
            41: "The last token may still be said: 8 and the new ones make 50.",
        },
    ),
    Question(
        title="Where does the mask come from",
        points=3,
        answer="D",
        placeholder='"A", "B", "C" or "D"',
        hints=[
            "Which id fills up the short rows, if a tokenizer has no pad token of its own?",
            "Look at 07.4: what else can the id of the pad mean in a text?",
        ],
        wrong={
            "A": "It could look at the ids without any trouble. What would it find?",
            "B": "The mask does not depend on the side; the positions follow from it.",
            "C": "Weights know nothing of a batch. The mask is about this input.",
        },
    ),
]
