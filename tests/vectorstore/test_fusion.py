from vectorstore.fusion import fuse


def test_what_both_rankings_name_comes_first() -> None:
    assert [key for key, _ in fuse(["a", "b"], ["c", "b"])] == ["b", "a", "c"]


def test_words_weigh_more_than_vectors() -> None:
    assert [key for key, _ in fuse(["word"], ["vector"])] == ["word", "vector"]


def test_one_ranking_alone_keeps_its_order() -> None:
    assert [key for key, _ in fuse([], ["x", "y", "z"])] == ["x", "y", "z"]
