"""What the README promises about errors is what the programs say."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_errors_in_the_readme_are_those_of_the_programs():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.split("| it says | do |")[1].split("##")[0]
    programs = "".join(
        (ROOT / name).read_text(encoding="utf-8") for name in ("course.py", "tools/lab.py")
    )
    quoted = re.findall(r"^\| `([^`]+)`", table, re.MULTILINE)
    assert len(quoted) >= 5
    for message in quoted:
        for part in re.split(r"\.\.\.|3\.x|8888|torch", message):  # what differs from case to case
            assert part.strip(" :.") in programs, message
