"""The recorded dialogues of a Windows 11 agent with a WSUS, through sallyport."""
import unittest

import harness  # noqa: F401

from replaying import CODINGS, Replaying


class ClientToServer(Replaying):
    folder = "C-wusp"

    def test_bytes_arrive_as_recorded(self) -> None:
        for mode in CODINGS:
            for accept in ("xpress", ""):
                with self.subTest(upstream=mode, downstream=accept):
                    self.replay(mode, accept)


if __name__ == "__main__":
    unittest.main()
