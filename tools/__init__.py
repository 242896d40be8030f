"""The notebook builder and the checks that hold sources and notebooks together.

    python -m tools.build [paths...] [--check] [--force] [--jobs N]

A chapter is written in `sources/chapters/NN_topic.py` and read in `chapters/NN_topic.ipynb`; the
builder is the only writer of the latter. tools/README.md tells authors what they need to know.

- `sources`  reads a source file: its cells, their ids and their lines
- `prose`    the `{{ expression }}` templates of markdown cells
- `execute`  runs a source in a kernel and fills its prose
- `outputs`  makes a cell's outputs fit to be committed
- `build`    the command line
- `markdown` headings, links and words of a markdown text
- `agreement`, `limits`, `links`  what every committed notebook must satisfy
- `expected` measures the ranges of trained figures (`sources/expected.json`) over seeds
"""
