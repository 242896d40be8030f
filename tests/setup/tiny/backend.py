"""A build backend small enough to need no package: it writes wheels that hold one file."""

import os
import time
import zipfile
from pathlib import Path


def write_wheel(folder, name, version, file, text):
    """Write the wheel of a package that installs one text file; return the wheel's name."""
    info = f"{name}-{version}.dist-info"
    files = {
        file: text,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    wheel = f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(Path(folder) / wheel, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return wheel


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    if "TINY_GATE" in os.environ:  # a test wants to find the set-up half done
        gate = Path(os.environ["TINY_GATE"])
        gate.touch()
        while gate.exists():  # however long the test takes
            time.sleep(0.05)
    return write_wheel(wheel_directory, "tiny", "1.0", "tiny.pth", f"{Path.cwd()}\n")
