"""What a program is linked with."""
import re
import subprocess
import sys
from pathlib import Path


def libraries(program: Path) -> list[str]:
    """Paths of what the loader would map, the loader with it."""
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    if "not found" in said:
        sys.exit(f"a library is missing:\n{said}")
    return re.findall(r"^\s*(?:\S+ => )?(/\S+) \(0x", said, re.M)
