"""The seven applications of language models, on the story world: each trained for and measured.

>>> from gptlib.applications import Translate
>>> example = next(Translate().examples("test"))
>>> Translate().prompt(example), Translate().answer(example)
"""

from gptlib.applications.application import SPLITS, Application
from gptlib.applications.evaluate import APPLICATIONS, evaluate
from gptlib.applications.forms import Parse
from gptlib.applications.labels import Classify, Feel
from gptlib.applications.questions import Answer
from gptlib.applications.search import Search
from gptlib.applications.summaries import Summarise
from gptlib.applications.tags import Tag
from gptlib.applications.translation import Translate
from gptlib.applications.writing import Write

__all__ = [
    "APPLICATIONS",
    "SPLITS",
    "Answer",
    "Application",
    "Classify",
    "Feel",
    "Parse",
    "Search",
    "Summarise",
    "Tag",
    "Translate",
    "Write",
    "evaluate",
]
