"""Say how this program was started, so that a test can look at what course.py hands on."""

import json
import os
import sys
from importlib.metadata import version

print(
    json.dumps(
        {
            "arguments": sys.argv[1:],
            "prefix": sys.prefix,
            "folder": os.getcwd(),
            "utf8": sys.flags.utf8_mode,
            "path": os.environ["PATH"].split(os.pathsep)[0],
            "tinydep": version("tinydep"),
            "tiny": version("tiny"),
        }
    )
)
sys.exit(int(os.environ.get("TINY_CODE", "0")))
