"""What the checks need to know of a markdown text: headings, links, images and plain words."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

# Jupyter reads CommonMark with tables, and takes maths out first.
_PARSER = (
    MarkdownIt("commonmark", {"html": True})
    .enable(["table", "strikethrough"])
    .use(dollarmath_plugin)
    .use(amsmath_plugin)
)
_PARSER.validateLink = lambda url: True  # a link that no browser would follow is still a link


@dataclass
class Markdown:
    """A markdown text, taken apart."""

    headings: list[tuple[int, str]] = field(default_factory=list)  # level, text
    links: list[str] = field(default_factory=list)  # targets, of images as well
    images: list[tuple[str, str]] = field(default_factory=list)  # target, alt text
    anchors: list[str] = field(default_factory=list)  # ids set by hand, in HTML
    text: str = ""  # what is read as words: no code, no maths, no markup


def read_markdown(text: str) -> Markdown:
    """Take a markdown text apart."""
    result = Markdown()
    tokens = _PARSER.parse(text)
    words: list[str] = []
    for position, token in enumerate(tokens):
        if token.type == "inline":
            content = "".join(_inline(token.children or [], result))
            words.append(content)
            opener = tokens[position - 1]
            if opener.type == "heading_open":
                # A heading's anchor is made of all that it shows, code and maths included.
                shown = "".join(_shown(token.children or []))
                result.headings.append((int(opener.tag[1]), shown))
        elif token.type == "html_block":
            words.append(_html(token.content, result))
    result.text = "\n".join(words)
    return result


def _inline(tokens: list[Token], result: Markdown) -> Iterator[str]:
    for token in tokens:
        if token.type == "text":
            yield token.content
        elif token.type in ("softbreak", "hardbreak"):
            yield "\n"
        elif token.type == "link_open":
            result.links.append(str(token.attrs["href"]))
        elif token.type == "image":
            target, alt = str(token.attrs["src"]), token.content
            result.links.append(target)
            result.images.append((target, alt))
        elif token.type == "html_inline":
            yield _html(token.content, result)


def _shown(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "math_inline":
            yield f"${token.content}$"
        elif token.type in ("text", "code_inline"):
            yield token.content
        elif token.type == "softbreak":
            yield " "


class _HTML(HTMLParser):
    def __init__(self, result: Markdown) -> None:
        super().__init__()
        self.result = result
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {key: value or "" for key, value in attrs}
        if tag == "a" and "href" in found:
            self.result.links.append(found["href"])
        if tag == "img":
            self.result.links.append(found.get("src", ""))
            self.result.images.append((found.get("src", ""), found.get("alt", "")))
        if tag == "source":  # one of several files for a picture: "small.png 1x, large.png 2x"
            listed = found.get("srcset", "").split(",")
            self.result.links += [entry.split()[0] for entry in listed if entry.strip()]
        self.result.anchors += [found[key] for key in ("id", "name") if key in found]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def _html(text: str, result: Markdown) -> str:
    parser = _HTML(result)
    parser.feed(text)
    parser.close()
    return "".join(parser.words)
