"""Apache Traffic Server in front of the upstream, hits from its cache in memory."""
import os
import shutil
from pathlib import Path

from peers import Server

SHIPPED = Path("/etc/trafficserver")
FOLDERS = """prefix: {dir}
exec_prefix: {dir}
sysconfdir: {dir}/etc
localstatedir: {dir}/var
runtimedir: {dir}/run
logdir: {dir}/log
cachedir: {dir}/cache
bindir: /usr/bin
sbindir: /usr/bin
libdir: /usr/lib/trafficserver
libexecdir: /usr/lib/trafficserver/modules
"""
SETTINGS = {
    "http.server_ports STRING": "{plain}:ipv4:ip-in=127.0.0.1 {tls}:ssl:ipv4:ip-in=127.0.0.1",
    "exec_thread.autoconfig INT": "0", "exec_thread.limit INT": "{workers}",
    "cache.ram_cache.size INT": "3G", "cache.ram_cache_cutoff INT": "2G",
    "http.cache.required_headers INT": "0", "http.cache.heuristic_min_lifetime INT": "86400",
    "cache.max_doc_size INT": "0", "cache.enable_read_while_writer INT": "1",
    "http.background_fill_completed_threshold FLOAT": "0.0",
    "ssl.server.cert.path STRING": "/", "ssl.server.private_key.path STRING": "/",
    "ssl.client.CA.cert.filename STRING": "{ca}", "ssl.client.CA.cert.path STRING": "",
    "ssl.client.verify.server.policy STRING": "ENFORCED",
    "ssl.client.verify.server.properties STRING": "SIGNATURE",
    "log.logging_enabled INT": "0", "net.connections_throttle INT": "20000",
    "admin.user_id STRING": "#-1", "url_remap.pristine_host_hdr INT": "0",
}


VERSION = ("traffic_server", "-V")


def available() -> bool:
    return shutil.which("traffic_server") is not None and SHIPPED.is_dir()


class Peer(Server):
    def __init__(self, stage) -> None:
        super().__init__(stage)
        for sub in ("var", "run", "log", "cache"):
            (self.dir / sub).mkdir()
        shutil.copytree(SHIPPED, self.dir / "etc")
        lines = "".join(f"CONFIG proxy.config.{name} {value}\n" for name, value in SETTINGS.items())
        for name, text in (
                ("records.config", lines), ("remap.config", "map / https://127.0.0.1:{origin_port}/\n"),
                ("ssl_multicert.config", "dest_ip=* ssl_cert_name={cert} ssl_key_name={key}\n"),
                ("storage.config", "{dir}/cache 4G\n")):
            self.write(f"etc/{name}", text)
        self.start("traffic_server", port=self.plain_port,
                   env={**os.environ, "TS_RUNROOT": str(self.write("runroot.yaml", FOLDERS))})
