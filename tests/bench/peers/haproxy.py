"""haproxy with its cache in memory, which knows no ranges."""
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
cache all
  total-max-size 3000
  max-object-size 1200000000
  max-age 86400
frontend here
  bind 127.0.0.1:{plain}
  bind 127.0.0.1:{tls} ssl crt {dir}/both.pem alpn http/1.1
  http-request set-header Host localhost
  http-request cache-use all
  default_backend origin
backend origin
  http-response set-header Cache-Control max-age=86400
  http-response cache-store all
  server origin localhost:{origin_port} ssl verify required ca-file {ca} sni str(localhost)
"""


VERSION = ("haproxy", "-v")


def available() -> bool:
    return shutil.which("haproxy") is not None


class Peer(Server):
    def __init__(self, stage) -> None:
        super().__init__(stage)
        self.pem()
        self.start("haproxy", "-db", "-f", self.write("conf", CONF), port=self.plain_port)
