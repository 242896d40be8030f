"""Every chapter as a learner meets it: JupyterLab, Restart Kernel and Run All Cells, no errors."""

import shutil

import pytest

from .chromium import Watch, keep_screenshot
from .jupyterlab import ROOT, errors, open_notebook, run_all, write_notebook

pytestmark = pytest.mark.slow

CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_runs_from_top_to_bottom(lab_page, lab, chapter):
    # All of them, because chapters look for each other.
    shutil.copytree(chapter.parent, lab.folder / "chapters", dirs_exist_ok=True)
    open_notebook(lab_page, f"chapters/{chapter.name}")
    cells = run_all(lab_page)
    assert errors(cells) == []
    assert len(cells) > 3
    keep_screenshot(lab_page, f"chapter-{chapter.stem}")


def test_an_error_in_a_chapter_would_be_seen(lab_page, lab):
    write_notebook(lab, "wrong.ipynb", ["1 + 1", "1 / 0", "2 + 2"])
    open_notebook(lab_page, "wrong.ipynb")
    assert errors(run_all(lab_page)) == [
        "code cell 2: ZeroDivisionError: division by zero",
        "code cell 3 did not run",
    ]


def test_a_request_to_another_machine_would_be_seen(browser):
    page = browser.new_page()
    watch = Watch(page)
    page.set_content('<img src="https://example.com/x.png"><script>console.error("oh")</script>')
    page.wait_for_load_state("load")
    page.close()
    assert watch.left_the_machine == ["https://example.com/x.png"]
    assert any(error.startswith("oh") for error in watch.errors)
