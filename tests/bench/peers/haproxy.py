"""haproxy with its cache in memory, which takes small objects only."""
import shutil

from peers import Server

CONF = """global
  nbthread {workers}
  maxconn 9900
  tune.ssl.default-dh-param 2048
defaults
  mode http
  timeout connect 10s
  timeout client 600s
  timeout server 600s
  option http-keep-alive
cache small
  total-max-size 256
  max-object-size 1048576
  max-age 86400
frontend all
  bind 127.0.0.1:{plain}
  bind 127.0.0.1:{tls} ssl crt {dir}/both.pem alpn http/1.1
  http-request cache-use small
  default_backend origin
backend origin
  http-response set-header Cache-Control max-age=86400
  http-response cache-store small
  server origin localhost:{origin_port} ssl verify required ca-file {ca} sni str(localhost)
"""


def available() -> bool:
    return shutil.which("haproxy") is not None


class Peer(Server):
    caches_large = False

    def __init__(self, stage) -> None:
        super().__init__(stage)
        self.pem()
        self.start("haproxy", "-db", "-f", self.write("conf", CONF), port=self.plain_port)
        stage.warm(self.plain_url)
