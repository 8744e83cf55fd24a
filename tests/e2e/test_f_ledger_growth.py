"""What a stranger can make the ledger grow by, who asks for refused things without end."""
import unittest

import harness  # noqa: F401

import catalogue
import soap
from scene import Scene, with_files


class Growth(Scene):
    BURST = 600

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = catalogue.Catalogue(161, 30, 5, big=0)

    def setUp(self) -> None:
        self.up = self.upstream(self.catalogue)
        self.door = self.gate(self.up, workers=1)
        self.server = self.downstream(self.door)
        self.server.sync()

    def entries(self) -> int:
        return int(self.door.status()["ledger"]["entries"])

    def test_refusals_of_metadata(self) -> None:
        leaf = with_files(self.catalogue)
        self.up.hostile.documents[leaf.update_id] = "change"
        before, last = self.entries(), ""
        for _ in range(self.BURST + 40):
            with self.assertRaises(soap.Fault) as caught:
                self.server.update_data([leaf.key])
            last = caught.exception.message
        self.assertRegex(last, "revision-immutable.*not recorded: there are too many refusals")
        self.assertLessEqual(self.entries() - before, self.BURST + 30)
        self.assertGreater(self.door.metric("sallyport_refusals_unrecorded_total"), 0)
        self.up.hostile.reset()
        self.server.update_data([leaf.key])  # what is good passes, and can be recorded
        self.door.verify_ledger()


if __name__ == "__main__":
    unittest.main()
