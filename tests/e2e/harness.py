"""Puts tests/support on the path; every test of this folder imports it first."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
