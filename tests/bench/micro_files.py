"""What micro_files reads: signed files of a MiB, a catalogue of files, and the texts of an offline
catalogue: micro_files.py DIR. Ends with 77 where osslsigncode cannot sign."""
import hashlib
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import cabinet
import der
import installers
import lists
import offline
import signing

SIZE = 1 << 20
UPDATES, MEMBERS = 200, 1000  # as micro_files.c has them


def long_image() -> bytes:
    """signing.image() whose last section has a MiB."""
    image = bytearray(signing.image())
    row = image.index(b".data\0")
    where = struct.unpack_from("<I", image, row + 20)[0]
    struct.pack_into("<I", image, row + 8, SIZE)
    struct.pack_into("<I", image, row + 16, SIZE)
    size_of_image = image.index(b"PE\0\0") + 24 + 56
    struct.pack_into("<I", image, size_of_image, 0x2000 + SIZE)
    return bytes(image[:where]) + bytes(SIZE)


def write(directory: Path) -> None:
    signer = signing.Signer(directory)
    (directory / "plain.exe").write_bytes(long_image())
    (directory / "plain.cab").write_bytes(cabinet.write(bytes(SIZE), cabinet.NONE))
    signer.sign("plain.exe", "file.exe")
    signer.sign("plain.cab", "file.cab")
    installers.large(directory / "file.msi", SIZE, directory / "code.pem", directory / "code.key")
    members = [lists.bare_member(hashlib.sha256(b"%d" % i).digest()) for i in range(MEMBERS)]
    (directory / "file.cat").write_bytes(der.signed_data(
        lists.TRUST_LIST, lists.trust_list(members), directory / "code.pem",
        directory / "code.key"))
    (directory / "package.xml").write_bytes(b"".join(offline.package_xml(UPDATES)))
    (directory / "extended.xml").write_bytes(offline.extended(0))


if __name__ == "__main__":
    if not signing.can_sign():
        sys.exit(77)
    write(Path(sys.argv[1]))
