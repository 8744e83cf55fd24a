"""nginx with proxy_cache in front of the same upstream, tuned for hits."""
import shutil
import subprocess
import tempfile
from pathlib import Path

from gate import free_ports

from peers import wait_for

CONF = """daemon off; master_process on; worker_processes {workers}; pid {dir}/pid;
error_log {dir}/error.log error;
events {{ worker_connections 8192; }}
http {{
  access_log off; default_type application/octet-stream; sendfile on; tcp_nopush on;
  keepalive_requests 100000000; keepalive_timeout 600;
  open_file_cache max=1000 inactive=600s; output_buffers 2 128k;
  client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f;
  uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  proxy_cache_path {dir}/cache keys_zone=c:10m max_size=20g use_temp_path=off;
  server {{
    listen 127.0.0.1:{plain} reuseport; listen 127.0.0.1:{tls} ssl reuseport;
    ssl_certificate {cert}; ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache off; ssl_session_tickets on;
    location / {{ proxy_pass {upstream}; proxy_cache c; proxy_cache_lock on;
      proxy_cache_valid 200 1d; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""


def available() -> bool:
    return shutil.which("nginx") is not None


class Peer:
    def __init__(self, scene) -> None:
        self.dir = Path(tempfile.mkdtemp(prefix="bench-nginx-"))
        self.dir.chmod(0o755)
        plain = free_ports(2)
        cert, key = scene.pki.pair("sallyport")
        for sub in "bpfus":
            (self.dir / sub).mkdir()
        (self.dir / "conf").write_text(CONF.format(
            dir=self.dir, plain=plain, tls=plain + 1, cert=cert, key=key,
            workers=scene.workers, upstream=scene.content_url))
        self.url, self.plain_url = f"https://localhost:{plain + 1}", f"http://localhost:{plain}"
        self.process = subprocess.Popen(["nginx", "-p", self.dir, "-c", self.dir / "conf"],
                                        stderr=subprocess.DEVNULL)
        wait_for(plain, self.process)
        scene.warm(self.plain_url)

    def pids(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
