"""Several JavaScript files become one, and mean the same."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gptlib.widgets.bundle import bundle

WIDGETS = Path(__file__).resolve().parents[2] / "gptlib" / "widgets"
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="needs node to run JavaScript")

FILES = {
    "base/number.js": "const hidden = 2;\nexport const two = hidden;\n",
    "base/double.js": (
        'import { two } from "./number.js";\n\n'
        "export function double(n) {\n  return two * n;\n}\n"
        'export class Named {\n  name = "named";\n}\n'
    ),
    "top/entry.js": (
        'import {\n  double,\n  Named,\n} from "../base/double.js";\n'
        'import { two as pair } from "../base/number.js";\n\n'
        "const hidden = 5;\n"
        "export default { value: double(hidden) + pair, name: new Named().name };\n"
    ),
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "top" / "entry.js"


def run(code: str) -> str:
    done = subprocess.run(
        [str(NODE), "--input-type=module", "-e", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@needs_node
def test_the_bundle_means_what_the_files_mean(tmp_path):
    entry = write(tmp_path, FILES)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    show = "console.log(JSON.stringify(entry.default));"
    apart = run(f"import * as entry from {entry.as_uri()!r}; {show}")
    joined = tmp_path / "joined.mjs"
    joined.write_text(bundle(entry), encoding="utf-8")
    assert run(f"import * as entry from {joined.as_uri()!r}; {show}") == apart
    assert apart == '{"value":12,"name":"named"}'


def test_each_file_is_there_once_and_nothing_is_imported(tmp_path):
    text = bundle(write(tmp_path, FILES))
    assert text.count("const hidden = 2;") == 1
    assert not re.search(r"^import", text, re.MULTILINE)
    assert re.findall(r"^export \w+", text, re.MULTILINE) == ["export default"]


@pytest.mark.parametrize(
    "line",
    ['import * as all from "../base/number.js";', "export { two };", 'import d from "./d.js";'],
)
def test_forms_that_can_not_be_joined_are_refused(tmp_path, line):
    entry = write(tmp_path, {**FILES, "top/entry.js": line + "\n"})
    with pytest.raises(ValueError, match=r"entry\.js: .* can't be joined"):
        bundle(entry)


@pytest.mark.parametrize("path", sorted(WIDGETS.rglob("*.js")), ids=lambda path: path.name)
def test_scripts_reach_no_other_machine_and_keep_to_the_line(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"https?://|\bfetch\(|XMLHttpRequest|\beval\(|innerHTML", text)
    assert text.startswith("// ")  # what the file is for
    assert max(map(len, text.splitlines())) <= 100
    assert "\t" not in text
