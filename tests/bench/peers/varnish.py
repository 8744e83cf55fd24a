"""varnish in memory, hitch in front of it and haproxy behind it for TLS; all three are counted."""
import os
import shutil

from peers import Server

VCL = """vcl 4.1;
backend origin {{ .host = "127.0.0.1"; .port = "{inner}"; }}
sub vcl_recv {{ set req.http.Host = "localhost"; }}
sub vcl_backend_response {{ set beresp.ttl = 1d; set beresp.do_stream = true; }}
"""
HITCH = """frontend = "[127.0.0.1]:{tls}"
backend = "[127.0.0.1]:{proxied}"
pem-file = "{dir}/both.pem"
workers = {workers}
write-proxy-v2 = on
tls-protos = TLSv1.2 TLSv1.3
daemon = off
quiet = on
"""
AS_ROOT = 'user = "nobody"\ngroup = "nogroup"\n'  # else hitch refuses to run
LEG = """global
  nbthread {workers}
defaults
  mode http
  timeout connect 10s
  timeout client 600s
  timeout server 600s
listen leg
  bind 127.0.0.1:{inner}
  server origin localhost:{origin_port} ssl verify required ca-file {ca} sni str(localhost)
"""


VERSION = ("varnishd", "-V")


def available() -> bool:
    return all(shutil.which(p) for p in ("varnishd", "hitch", "haproxy"))


class Peer(Server):
    descriptors = 2  # of hitch

    def __init__(self, stage) -> None:
        super().__init__(stage)
        self.pem()
        self.names["proxied"] = proxied = self.inner_port + 1
        self.start("haproxy", "-db", "-f", self.write("leg", LEG), port=self.inner_port)
        self.start("varnishd", "-F", "-n", self.dir / "varnish", "-f", self.write("vcl", VCL),
                   "-a", f"127.0.0.1:{self.plain_port}", "-a", f"127.0.0.1:{proxied},PROXY",
                   "-s", "malloc,3g", "-j", "none", port=self.plain_port)
        hitch = HITCH + (AS_ROOT if os.geteuid() == 0 else "")
        self.start("hitch", f"--config={self.write('hitch', hitch)}", port=self.tls_port)
