"""h2o, which has no cache: the same files, served as static files."""
import shutil

from peers import Server

CONF = """num-threads: {workers}
max-connections: 20000
http1-request-timeout: 600
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
        file.dir: {dir}/root
"""


VERSION = ("h2o", "-v")


def available() -> bool:
    return shutil.which("h2o") is not None


class Peer(Server):
    no_fetch = no_soap = "has no cache: its files are there from the start"
    has_twin = True

    def __init__(self, stage) -> None:
        super().__init__(stage)
        for file in stage.warm_files.values():
            path = self.dir / "root" / file.path.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as out:
                out.writelines(file.pieces())
        self.start("h2o", "-c", self.write("conf", CONF), port=self.plain_port)
