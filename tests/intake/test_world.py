"""What a writer keeps in mind of other records is bounded, whatever sort of records they are."""

from app.intake import world
from app.intake.world import Node


def test_what_is_kept_in_mind_is_bounded(writer, monkeypatch):
    monkeypatch.setattr(world, "MOST_NODES", 10)
    mind = writer.world
    mind.begin(0)
    for n in range(11):
        mind.put(f"tst-{n}", Node("testimony", "live", "test-body", content={}))
        mind.show(f"tst-{n}", 1)
        assert mind.lineage(f"tst-{n}") == (f"tst-{n}",)
        mind.end(0)  # contents are not kept, but who is shown them is
    assert mind.views_of("tst-0") == 1
    assert mind.begin(0)
    assert mind.views_of("tst-0") == 0
