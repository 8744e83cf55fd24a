"""One module a server: each has available() and a class Peer(scene) with url, plain_url, pids()
and close(), serving the scene's files from a warm cache under the paths of the scene."""
