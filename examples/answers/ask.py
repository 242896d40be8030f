"""Ask a text file: which of its stories answers, and what the answer is.

    python ask.py stories.txt "Who lost the kite?"

Stories are separated by a line of three dashes. The model read the course's story world and
nothing else, so its texts and questions are like those; everything here stays on this machine.
"""

import sys
from pathlib import Path

import gptlib
from gptlib.applications.asking import replies
from gptlib.evaluation.baselines import BM25
from gptlib.tokenizer import Tokenizer

MODEL = "story-gpt-instruct"


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

    The story is the one that shares the rarest words with the question.
    """
    model, tokenizer = gptlib.load(MODEL), Tokenizer.load(gptlib.model_path(MODEL))
    place = BM25(stories).rank(question)[0]
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
