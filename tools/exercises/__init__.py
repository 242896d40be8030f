"""Graded exercises, from their definitions: `python -m tools.exercises --help`.

A definition in sources/exercises imports what it needs from here.
"""

from tools.exercises.draw import Draw as Draw
from tools.exercises.format import Check as Check
from tools.exercises.format import Exercise as Exercise
from tools.exercises.format import Question as Question
from tools.exercises.format import call as call
from tools.exercises.format import edit as edit
from tools.exercises.format import written as written
