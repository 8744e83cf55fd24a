"""nginx with proxy_cache, tuned for hits."""
import shutil

from peers import Server

CONF = """daemon off; master_process on; worker_processes {workers}; pid {dir}/pid;
error_log {dir}/error.log error;
events {{ worker_connections 20000; }}
http {{
  access_log off; default_type application/octet-stream; sendfile on; tcp_nopush on;
  keepalive_requests 100000000; keepalive_timeout 600;
  open_file_cache max=1000 inactive=600s; output_buffers 2 128k;
  client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f;
  uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  proxy_cache_path {dir}/cache keys_zone=c:10m max_size=20g use_temp_path=off;
  server {{
    listen 127.0.0.1:{plain} reuseport backlog=4096;
    listen 127.0.0.1:{tls} ssl reuseport backlog=4096;
    ssl_certificate {cert}; ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache off; ssl_session_tickets on;
    location / {{ proxy_pass {origin}; proxy_cache c; proxy_cache_lock on;
      proxy_ssl_trusted_certificate {ca}; proxy_ssl_verify on; proxy_ssl_verify_depth 5;
      proxy_ssl_server_name on; proxy_ssl_name localhost;
      proxy_cache_lock_timeout 600s; proxy_cache_lock_age 600s; proxy_buffers 8 64k;
      proxy_cache_valid 200 1d; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""


VERSION = ("nginx", "-v")


def available() -> bool:
    return shutil.which("nginx") is not None


class Peer(Server):
    has_twin = True

    def __init__(self, stage) -> None:
        super().__init__(stage)
        for sub in "bpfus":
            (self.dir / sub).mkdir()
        conf = self.write("conf", CONF)
        self.start("nginx", "-p", self.dir, "-c", conf, port=self.plain_port)

    def pids(self) -> list[int]:
        return super().pids()[1:]  # the master does nothing
