"""squid (squid-openssl) in front of the upstream, everything in memory, of https and of http by
itself."""
import shutil

from peers import Server

CONF = """http_port 127.0.0.1:{plain} accel defaultsite=localhost
https_port 127.0.0.1:{tls} accel defaultsite=localhost tls-cert={cert} tls-key={key}
cache_peer localhost parent {origin_port} 0 no-query originserver tls sslcafile={ca} name=origin
acl all_of_them src all
http_access allow all_of_them
cache_mem 3000 MB
maximum_object_size 2 GB
maximum_object_size_in_memory 1200 MB
collapsed_forwarding on
refresh_pattern . 1440 100% 1440 override-expire ignore-no-store
workers {workers}
access_log none
cache_log {dir}/cache.log
pid_filename {dir}/pid
coredump_dir {dir}
visible_hostname localhost
max_filedescriptors 20000
shutdown_lifetime 1 second
pinger_enable off
"""


VERSION = ("squid", "-v")


def available() -> bool:
    return shutil.which("squid") is not None


class Peer(Server):
    def __init__(self, stage) -> None:
        super().__init__(stage)
        self.start("squid", "-N" if stage.workers == 1 else "--foreground", "-f",
                   self.write("conf", CONF), port=self.tls_port)
