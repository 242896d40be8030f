"""pyproject.toml, requirements.lock and environment.yml say one thing, and so do all who name a
Python version. `faults` finds what disagrees; each of its findings is provoked below."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
import yaml
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

import course

from .tiny_course import ROOT

FILES = ("pyproject.toml", "requirements.lock", "environment.yml", ".github/workflows/tests.yml")
# Not installed beside a CPU build of torch, whose CUDA build pins its own.
CUDA = re.compile(r"^(nvidia|cuda)-|^triton$")


def read() -> dict[str, str]:
    return {name: (ROOT / name).read_text("utf-8") for name in FILES}


def direct(pyproject: str) -> list[Requirement]:
    project = tomllib.loads(pyproject)["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *extras["course"], *extras["test"]]
    found = [Requirement(line) for line in lines]
    for own in [one for one in found if one.name == project["name"]]:  # its own other extras
        found.remove(own)
        found += [Requirement(line) for extra in sorted(own.extras) for line in extras[extra]]
    return found


def reachable(requirement: Requirement, seen: set[str]) -> None:
    """Add the names of a package and of all that it needs, on any system, to `seen`."""
    name = canonicalize_name(requirement.name)
    marks = {f"{name}[{extra}]" for extra in ["", *requirement.extras]}
    if marks <= seen:
        return
    seen |= marks | {name}
    try:
        lines = requires(name) or []
    except PackageNotFoundError:  # what other systems alone need is not installed here
        return
    for line in lines:
        needed = Requirement(line)
        extras = re.findall(r"extra\s*==\s*[\"']([^\"']+)", str(needed.marker or ""))
        if not extras or requirement.extras & set(extras):
            reachable(needed, seen)


def lock_faults(pyproject: str, lock: str) -> Iterator[str]:
    """What is wrong with the lock by itself, and against pyproject.toml."""
    pins: dict[str, Version] = {}
    for line in lock.splitlines():
        if line.startswith("#") or not line:
            continue
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            yield f"lock: {line!r} is no requirement"
            continue
        name = canonicalize_name(requirement.name)
        pin = re.fullmatch(r"==([\w.!]+)", str(requirement.specifier))
        if requirement.url or not pin:
            yield f"lock: {name} is not pinned to one version"
            continue
        if name in pins:
            yield f"lock: {name} stands twice"
        pins[name] = Version(pin[1])
    seen: set[str] = set()
    for requirement in direct(pyproject):
        name = canonicalize_name(requirement.name)
        if name not in pins:
            yield f"lock: {name} is missing"
        elif pins[name] not in requirement.specifier:
            yield f"lock: {name} {pins[name]} is not {requirement.specifier}"
        reachable(requirement, seen)
    for name in pins:
        if CUDA.search(name):
            yield f"lock: {name} belongs to one build of torch"
        elif name not in seen:
            yield f"lock: nothing needs {name}"


def faults(files: dict[str, str]) -> list[str]:
    """Everything in which the files disagree, a line each."""
    pyproject, lock, environment, workflow = (files[name] for name in FILES)
    found = list(lock_faults(pyproject, lock))

    torch = [str(one.specifier) for one in direct(pyproject) if one.name == "torch"]
    if len(torch) != 1 or not re.fullmatch(r"==[\d.]+", torch[0]):
        found.append("pyproject: torch is not pinned exactly")

    packages = yaml.safe_load(environment)["dependencies"]
    by_conda = [one for one in packages if isinstance(one, str)]
    by_pip = [one["pip"] for one in packages if isinstance(one, dict)]
    if by_pip != [["-r requirements.lock", "-e ."]]:
        found.append("environment: pip has to install the lock, then this project")
    if sorted(re.split(r"[<>=]", one)[0] for one in by_conda) != ["pip", "python"]:
        found.append("environment: conda has to bring Python and pip alone")

    settings = tomllib.loads(pyproject)
    oldest = {
        "pyproject": lowest(settings["project"]["requires-python"]),
        "environment": lowest("".join(re.findall(r"python([<>=].*)", "\n".join(by_conda)))),
        "ruff": settings["tool"]["ruff"]["target-version"].replace("py3", "3."),
        "mypy": settings["tool"]["mypy"]["python_version"],
        "workflow": yaml.safe_load(workflow)["jobs"]["test"]["strategy"]["matrix"]["python"][0],
    }
    expected = "{}.{}".format(*course.OLDEST)
    found += [
        f"{place}: the oldest Python is {version}, course.py has {expected}"
        for place, version in oldest.items()
        if version != expected
    ]
    return found


def lowest(specifiers: str) -> str:
    return next((one.version for one in SpecifierSet(specifiers) if one.operator == ">="), "none")


def test_the_files_agree() -> None:
    assert faults(read()) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "fault"),
    [
        ("requirements.lock", r"nbval==.*\n", "", "lock: nbval is missing"),
        ("requirements.lock", r"nbval==.*", "nbval==0.10", "lock: nbval 0.10 is not "),
        ("requirements.lock", r"torch==.*", "torch==2.12.0", "lock: torch 2.12.0 is not =="),
        ("requirements.lock", r"numpy==", "numpy>=", "lock: numpy is not pinned"),
        ("requirements.lock", r"(six==.*\n)", r"\1\1", "lock: six stands twice"),
        ("requirements.lock", r"(jinja2==.*\n)", r"\1Jinja2==3.0\n", "lock: jinja2 stands twice"),
        ("requirements.lock", r"(six==.*\n)", r"\1leftpad==1.0\n", "lock: nothing needs leftpad"),
        ("requirements.lock", r"(six==.*\n)", r"\1triton==3.7.1\n", "lock: triton belongs to one"),
        ("requirements.lock", r"(six==.*\n)", r"\1--find-links here\n", "is no requirement"),
        ("requirements.lock", r"six==.*", "six @ file:///six.whl", "lock: six is not pinned"),
        ("pyproject.toml", r'(course = \[\n)', r'\1"absent>=1",\n', "lock: absent is missing"),
        ("pyproject.toml", r'(evaluation = \[\n)', r'\1"none>=1",\n', "lock: none is missing"),
        ("pyproject.toml", r'"numpy>=.*"', '"numpy>=99"', "is not >=99"),
        ("pyproject.toml", r'"torch==', '"torch>=', "pyproject: torch is not pinned"),
        ("pyproject.toml", r'requires-python = .*', 'requires-python = ">=3.10"', "pyproject: the"),
        ("pyproject.toml", r'target-version = .*', 'target-version = "py312"', "ruff: the oldest"),
        ("pyproject.toml", r'python_version = .*', 'python_version = "3.12"', "mypy: the oldest"),
        ("environment.yml", r"-r requirements.lock", "-r other", "environment: pip has to"),
        ("environment.yml", r"(      - -e \.)", r"\1\n      - numpy", "environment: pip has to"),
        ("environment.yml", r"(  - pip\n)", r"\1  - numpy\n", "environment: conda has to"),
        ("environment.yml", r"(  - pip\n)", r"\1\1", "environment: conda has to"),
        ("environment.yml", r"python>=3.11", "python>=3.12", "environment: the oldest"),
        ("environment.yml", r"python>=3.11", "python", "environment: the oldest Python is none"),
        (".github/workflows/tests.yml", r'"3.11"', '"3.12"', "workflow: the oldest"),
    ],
)  # fmt: skip
def test_each_fault_is_found(name: str, old: str, new: str, fault: str) -> None:
    files = read()
    changed, count = re.subn(old, new, files[name], count=1)
    assert count == 1
    found = faults({**files, name: changed})
    assert any(fault in line for line in found), found


@pytest.mark.parametrize("name", FILES)
def test_no_file_names_a_package_index(name: str) -> None:
    assert not re.search(r"https?://|pypi|--(extra-)?index", (ROOT / name).read_text("utf-8"))


def test_what_is_installed_fits_together() -> None:
    """On this system, all that the direct dependencies need is pinned, to a version that fits."""
    pins = dict(re.findall(r"(?m)^([\w.-]+)==([^\s;]+)", read()["requirements.lock"]))
    wrong = []
    for name in pins:
        try:
            lines = requires(name) or []
        except PackageNotFoundError:
            continue
        for needed in map(Requirement, lines):
            if needed.marker and not needed.marker.evaluate({"extra": ""}):
                continue
            other = canonicalize_name(needed.name)
            if CUDA.search(other):
                continue
            if other not in pins or pins[other] not in needed.specifier:
                wrong.append(f"{name} needs {needed}, the lock has {pins.get(other)}")
    assert wrong == []


def test_course_installs_that_lock() -> None:
    assert course.LOCK == ROOT / "requirements.lock"
    assert Path(course.__file__).parent == ROOT
