#!/usr/bin/env python3
"""Writes documents and what a server derives from them for its clients: fragments.py FOLDER.

No dialogue with core fragments and their documents was recorded, so this is the second pair of eyes
for core/wsus/fragment.c: catalogue.py derives by cutting texts, on its own. Each update is four
files, NN-kind.document.xml, .core.xml, .extended.xml and .localized.xml. tests/golden/fragments was
made by this; made anew, digests of signed files are others, and nothing else.
"""
import sys
from pathlib import Path

import catalogue

SEED = (41, 24, 4)
LONGEST = 8000
OF_A_KIND = 3


def chosen(made: catalogue.Catalogue) -> list[catalogue.Revision]:
    """A few small ones of every kind."""
    return [r for kind in ("category", "detectoid", "bundle", "leaf")
            for r in [x for x in made.of_kind(kind) if len(x.document) < LONGEST][:OF_A_KIND]]


def main() -> int:
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    for n, revision in enumerate(chosen(catalogue.Catalogue(*SEED, big=0))):
        for part in ("document", "core", "extended", "localized"):
            path = folder / f"{n:02}-{revision.kind}.{part}.xml"
            path.write_text(getattr(revision, part), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
