"""The questions of set 04, in the order of the text."""

from tools.exercises import Question

QUESTIONS = [
    Question(
        title="A louder stream",
        points=3,
        answer="B",
        placeholder='"A", "B", "C" or "D"',
        hints=[
            "What does LayerNorm make of (1, 1, 5, 5), and of (10, 10, 50, 50)?",
            "Mean and standard deviation grow by the same factor, and it cancels. What is the only "
            "thing that notices?",
        ],
        wrong={
            "A": "That would be so without `ln_f`. LayerNorm divides by the standard deviation, "
            "which grows tenfold, too.",
            "C": "LayerNorm divides by a number ten times as large, but what it divides is also "
            "ten times as large.",
            "D": "No softmax stands between the stream and the logits. Look at `ln_f`.",
        },
    ),
    Question(
        title="Shape of a weight",
        points=3,
        answer=(24, 6),
        placeholder="a tuple such as (1, 2)",
        hints=[
            "`c_fc` widens. How many numbers go in, and how many come out?",
            "`nn.Linear(a, b)` keeps its weight with one row for each *output*.",
        ],
        wrong={
            (6, 24): "Rows are outputs: `nn.Linear` keeps (out, in). transformers' GPT-2 keeps it "
            "this way round, which is why 04.7 transposes.",
            (6, 6): "`c_fc` widens from C to 4C.",
            (24, 24): "24 numbers come out, but how many go in?",
            (18, 6): "That is `c_attn`: q, k and v. The MLP widens to 4C.",
        },
    ),
    Question(
        title="The first loss",
        points=3,
        answer=10.825,
        placeholder="a number",
        tolerance=0.1,
        hints=[
            "Which probability does a model that knows nothing give to each token?",
            "The loss is -ln p, with p = 1/50257.",
        ],
        wrong={
            15.617: "That is in bits. The loss is in nats: the natural logarithm.",
            4.701: "That is the logarithm to base 10. The loss takes the natural one.",
            0: "A loss of 0 means that every token was foreseen with certainty.",
            5.545: "That is ln 256, for bytes. This vocabulary has 50,257 tokens.",
            50257: "That is the perplexity: e to the power of the loss.",
        },
    ),
]
