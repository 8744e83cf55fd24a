"""h2o, which has no cache: the same files, served as static files."""
import shutil
import subprocess
import tempfile
from pathlib import Path

from gate import free_ports

from peers import wait_for

CONF = """num-threads: {workers}
error-log: {dir}/error.log
hosts:
  default:
    listen:
      host: 127.0.0.1
      port: {plain}
    listen:
      host: 127.0.0.1
      port: {tls}
      ssl:
        certificate-file: {cert}
        key-file: {key}
        ocsp-update-interval: 0
    paths:
      /:
        file.dir: {root}
"""


def available() -> bool:
    return shutil.which("h2o") is not None


class Peer:
    def __init__(self, scene) -> None:
        self.dir = Path(tempfile.mkdtemp(prefix="bench-h2o-"))
        self.dir.chmod(0o755)
        plain = free_ports(2)
        cert, key = scene.pki.pair("sallyport")
        root = self.dir / "root"
        for file in scene.files.values():
            path = root / file.path.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as out:
                out.writelines(file.pieces())
        conf = self.dir / "conf"
        conf.write_text(CONF.format(dir=self.dir, plain=plain, tls=plain + 1, cert=cert, key=key,
                                    workers=scene.workers, root=root))
        self.url, self.plain_url = f"https://localhost:{plain + 1}", f"http://localhost:{plain}"
        self.process = subprocess.Popen(["h2o", "-c", conf], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_for(plain, self.process)
        scene.warm(self.plain_url)

    def pids(self) -> list[int]:
        return [self.process.pid]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
