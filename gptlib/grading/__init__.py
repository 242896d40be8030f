"""Graded exercises: `check` answers at once and in words, `progress` shows what is done.

>>> from gptlib.grading import check, hint, progress

A module each: `tasks` (what can be graded, and what answers should be), `asking` (calling a
learner's code), `compare` and `judge` (from answers to a verdict), `display`, `scores`,
`learner` (`check`), `run` and `report` (whole notebooks). `values` carries answers from one
process to another.
"""

from gptlib.grading.learner import check as check
from gptlib.grading.learner import hint as hint
from gptlib.grading.scores import progress as progress
