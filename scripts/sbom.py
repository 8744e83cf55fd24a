"""Writes an SPDX 2.3 document of a program and of the Debian packages linked into it.

    sbom.py PROGRAM VERSION UNIX-TIME > FILE

Each package that a library comes from is named with its version, its license as far as its
copyright file says it in short names, its purl, and the libraries' SHA-256.
"""
from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import time
from pathlib import Path

from linked import libraries


def run(*args: str) -> str:
    return subprocess.run(args, capture_output=True, text=True, check=True).stdout


def sha256(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def package_of(library: str) -> str:
    """dpkg knows files by the name they were unpacked under: with /usr or without it."""
    real = str(Path(library).resolve())
    for name in (library, real, real.removeprefix("/usr"), "/usr" + library):
        try:
            return run("dpkg-query", "-S", name).split(": ")[0]
        except subprocess.CalledProcessError:
            continue
    sys.exit(f"sbom: no package has {library}")


def licenses(package: str) -> list[str]:
    """Short names of a machine-readable copyright file; none when it is prose."""
    path = Path("/usr/share/doc") / package.split(":")[0] / "copyright"
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return []
    if "copyright-format/1.0" not in text.splitlines()[0]:
        return []
    return sorted(set(re.findall(r"^License: *(\S[^\n]*)", text, re.M)))


def spdx_id(name: str) -> str:
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def package(name: str, version: str, **more: object) -> dict:
    return {"SPDXID": spdx_id("Package-" + name), "name": name, "versionInfo": version,
            "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
            "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION",
            "copyrightText": "NOASSERTION", **more}


def debian_package(name: str, files: list[str]) -> dict:
    form = "${Version}\t${Architecture}\t${source:Package}\t${source:Version}"
    version, arch, source, source_version = run("dpkg-query", "-Wf", form, name).split("\t")
    short = name.split(":")[0]
    said = "; ".join(f"{Path(f).name} sha256:{sha256(f)}" for f in sorted(files))
    named = licenses(short)
    return package(
        short, version, supplier="Organization: Debian",
        sourceInfo=f"built from {source} {source_version}", comment=said,
        licenseComments=("named by its copyright file: " + ", ".join(named)) if named else
        "its copyright file has no short names",
        externalRefs=[{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                       "referenceLocator": f"pkg:deb/debian/{short}@{version}?arch={arch}"}])


def main() -> None:
    program, version, when = sys.argv[1], sys.argv[2], int(sys.argv[3])
    by_package: dict[str, list[str]] = {}
    for library in libraries(Path(program)):
        by_package.setdefault(package_of(library), []).append(library)
    own = package("sallyport", version, supplier="Organization: sallyport maintainers",
                  licenseConcluded="Apache-2.0", licenseDeclared="Apache-2.0",
                  checksums=[{"algorithm": "SHA256", "checksumValue": sha256(program)}])
    parts = [debian_package(name, files) for name, files in sorted(by_package.items())]
    relations = [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
                  "relatedSpdxElement": own["SPDXID"]}]
    relations += [{"spdxElementId": own["SPDXID"], "relationshipType": "DYNAMIC_LINK",
                   "relatedSpdxElement": part["SPDXID"]} for part in parts]
    digest = own["checksums"][0]["checksumValue"]
    json.dump({
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"sallyport-{version}",
        "documentNamespace": f"https://spdx.org/spdxdocs/sallyport-{version}-{digest}",
        "creationInfo": {"created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when)),
                         "creators": ["Tool: sallyport scripts/package sbom"]},
        "packages": [own, *parts], "relationships": relations,
    }, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
