"""Ask a text file: which of its stories answers, and what the answer is.

    python ask.py stories.txt "Who lost the kite?"

Stories are separated by a line of three dashes. The model read the course's story world and
nothing else, so its texts and questions are like those; everything here stays on this machine.
"""

import sys
from pathlib import Path

import gptlib
from gptlib.applications.asking import log_likelihoods, replies
from gptlib.evaluation.baselines import BM25
from gptlib.tokenizer import Tokenizer

MODEL = "story-gpt-instruct"
LIKELIEST = 4  # stories that are read closely


def read(file: str) -> list[str]:
    """The stories of a file."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except OSError as error:
        sys.exit(f"{file}: can't be read: {error.strerror}")
    stories = [part.strip() for part in text.split("\n---\n") if part.strip()]
    if not stories:
        sys.exit(f"{file}: holds no story")
    return stories


def ask(stories: list[str], question: str) -> tuple[int, str]:
    """The story that the question is about, by its place in the list, and the answer.

    Words in common choose a few stories; of these the model takes the one after which the question
    is most likely, since it was trained on questions that their stories answer.
    """
    model, tokenizer = gptlib.load(MODEL), Tokenizer.load(gptlib.model_path(MODEL))
    places = BM25(stories).rank(question)[:LIKELIEST]
    prompts = [f"{stories[place]}\nQ:" for place in places]
    likely = log_likelihoods(model, tokenizer, prompts, [f" {question}\nA:"])[:, 0]
    place = places[int(likely.argmax())]
    (answer,) = replies(model, tokenizer, [f"{stories[place]}\nQ: {question}\nA:"], 70)
    return place, answer.strip()


def main(words: list[str]) -> None:
    """Answer a question."""
    if len(words) != 2:
        sys.exit(__doc__)
    stories = read(words[0])
    place, answer = ask(stories, words[1])
    first = stories[place].split("\n")[0]
    print(f"{answer}\n\nfrom story {place + 1}: {first[:70]}...")


if __name__ == "__main__":
    main(sys.argv[1:])
