"""Makes a root filesystem of one program and what it needs, and an OCI image of it.

    oci.py TREE OUT VERSION UNIX-TIME

TREE is an installed sallyport (usr/bin, usr/share). OUT becomes an OCI image layout
(image-spec 1.0: index.json, blobs) and OUT/rootfs the same as a folder. Nothing in it runs
as root, and there is no shell. The same input makes the same bytes.
"""
from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import platform
import shutil
import sys
import tarfile
import time
from pathlib import Path

from linked import libraries

USER = 65532
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
FILES = {
    "etc/passwd": f"sallyport:x:{USER}:{USER}::/var/lib/sallyport:/nonexistent\n",
    "etc/group": f"sallyport:x:{USER}:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}
OWN = ("var/lib/sallyport", "var/cache/sallyport")


def lay_out(tree: Path, root: Path) -> None:
    shutil.copytree(tree / "usr/bin", root / "usr/bin")
    shutil.copytree(tree / "usr/share/sallyport", root / "usr/share/sallyport")
    for lib in libraries(root / "usr/bin/sallyport"):
        to = root / lib.lstrip("/")
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(lib, to)
        to.chmod(0o755)
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name in (*OWN, "etc/sallyport", "tmp"):
        (root / name).mkdir(parents=True)


def layer(root: Path, when: int) -> bytes:
    """The folder as a tar file: sorted, owners and times set by rule."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(root.rglob("*")):
            name = str(path.relative_to(root))
            info = tar.gettarinfo(path, name)
            own = name.startswith(OWN)
            info.uid = info.gid = USER if own else 0
            info.uname = info.gname = ""
            info.mtime = when
            if info.isdir():
                info.mode = 0o1777 if name == "tmp" else 0o700 if own else 0o755
            else:
                info.mode = 0o755 if os.access(path, os.X_OK) else 0o644
            if info.isfile():
                with open(path, "rb") as file:
                    tar.addfile(info, file)
            else:
                tar.addfile(info)
    return raw.getvalue()


class Layout:
    def __init__(self, out: Path) -> None:
        self.out = out
        (out / "blobs/sha256").mkdir(parents=True)

    def add(self, media_type: str, data: bytes) -> dict:
        digest = hashlib.sha256(data).hexdigest()
        (self.out / "blobs/sha256" / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    def add_json(self, what: str, data: dict) -> dict:
        text = json.dumps(data, separators=(",", ":"), sort_keys=True).encode()
        return self.add(f"application/vnd.oci.image.{what}+json", text)


def configuration(version: str, when: int, tar: bytes) -> dict:
    made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when))
    return {
        "created": made,
        "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {
            "User": f"{USER}:{USER}",
            "Entrypoint": ["/usr/bin/sallyport"],
            "Cmd": ["run", "-c", "/etc/sallyport/sallyport.conf"],
            "WorkingDir": "/",
            "Volumes": {f"/{name}": {} for name in OWN},
            "ExposedPorts": {"8530/tcp": {}, "8531/tcp": {}},
            "StopSignal": "SIGTERM",
            "Labels": {"org.opencontainers.image.title": "sallyport",
                       "org.opencontainers.image.version": version,
                       "org.opencontainers.image.licenses": "Apache-2.0"},
        },
        "rootfs": {"type": "layers",
                   "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest()]},
        "history": [{"created": made, "created_by": "sallyport scripts/package oci"}],
    }


def main() -> None:
    tree, out, version, when = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    lay_out(tree, out / "rootfs")
    tar = layer(out / "rootfs", when)
    layout = Layout(out)
    manifest = layout.add_json("manifest.v1", {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": layout.add_json("config.v1", configuration(version, when, tar)),
        "layers": [layout.add("application/vnd.oci.image.layer.v1.tar+gzip",
                              gzip.compress(tar, 9, mtime=0))],
    })
    manifest["annotations"] = {"org.opencontainers.image.ref.name": version}
    (out / "index.json").write_text(json.dumps({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [manifest]}))
    (out / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    print(f"{out}: {len(tar) / 1e6:.1f} MB, {manifest['digest']}")


if __name__ == "__main__":
    main()
