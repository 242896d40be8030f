"""Run a notebook that somebody else wrote: without a network, without files, within limits.

`Sandbox` is a runner for `gptlib.grading.report.grade`. A module each: `isolation` (what a child
process may see), `limits` (what it may use, and who watches), `frames` (how it is talked to),
`child` (what runs in there) and `runner`.
"""

from gptlib.grading.sandbox.isolation import refusal as refusal
from gptlib.grading.sandbox.limits import Limits as Limits
from gptlib.grading.sandbox.runner import Sandbox as Sandbox
