"""Hash trees against the vectors of RFC 6962's reference implementation, and against the RFC's definition."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.catalog.merkle import EMPTY_ROOT, Frontier, inclusion_path, leaf_hash, root_from_path, tree_root

# The inputs and roots of the tests of certificate-transparency, which RFC 6962 comes from.
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATHS = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}

leaf_hashes = st.lists(st.binary(max_size=4).map(leaf_hash), max_size=70)


def naive_root(leaves: list[bytes]) -> bytes:
    """``MTH`` of RFC 6962, 2.1, over the data of the leaves."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\1" + naive_root(leaves[:half]) + naive_root(leaves[half:])).digest()


def naive_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """``PATH`` of RFC 6962, 2.1.1."""
    if len(leaves) == 1:
        return []
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    if index < half:
        return [*naive_path(index, leaves[:half]), naive_root(leaves[half:])]
    return [*naive_path(index - half, leaves[half:]), naive_root(leaves[:half])]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_vectors(size: int) -> None:
    hashes = [leaf_hash(leaf) for leaf in LEAVES[:size]]
    assert tree_root(hashes).hex() == ROOTS[size]
    assert Frontier.of(hashes).root.hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), PATHS)
def test_paths_are_those_of_the_vectors(index: int, size: int) -> None:
    path = inclusion_path([leaf_hash(leaf) for leaf in LEAVES[:size]], index)
    assert [one.hex() for one in path] == PATHS[index, size]
    assert root_from_path(leaf_hash(LEAVES[index]), index, size, path).hex() == ROOTS[size]


@given(leaves=st.lists(st.binary(max_size=4), max_size=70))
def test_a_tree_is_that_of_the_definition(leaves: list[bytes]) -> None:
    hashes = [leaf_hash(leaf) for leaf in leaves]
    assert tree_root(hashes) == naive_root(leaves)
    for index in range(len(leaves)):
        path = inclusion_path(hashes, index)
        assert path == naive_path(index, leaves)
        assert root_from_path(hashes[index], index, len(leaves), path) == naive_root(leaves)


@given(hashes=leaf_hashes)
def test_a_frontier_grows_like_the_tree_and_survives_its_text(hashes: list[bytes]) -> None:
    frontier = Frontier()
    for size, one in enumerate(hashes, start=1):
        frontier = Frontier.from_text(frontier.size, frontier.text()).append(one)
        assert (frontier.size, frontier.root) == (size, tree_root(hashes[:size]))


@given(hashes=leaf_hashes.filter(len), data=st.data())
def test_a_path_proves_no_other_leaf_and_no_other_place(hashes: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(hashes) - 1))
    path = inclusion_path(hashes, index)
    root = tree_root(hashes)
    assert root_from_path(leaf_hash(b"other"), index, len(hashes), path) != root
    for other in ([*path, root], path[:-1]):
        if other != path:
            with pytest.raises(ValueError, match=r"too (short|long)"):
                root_from_path(hashes[index], index, len(hashes), other)


def test_an_empty_tree_has_the_root_of_nothing_and_no_leaf() -> None:
    assert tree_root([]) == Frontier().root == EMPTY_ROOT == sha256(b"").digest()
    assert Frontier().text() == ""
    with pytest.raises(IndexError):
        inclusion_path([], 0)
    with pytest.raises(ValueError, match="no leaf"):
        root_from_path(b"", 0, 0, [])


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (1, ""),
        (0, "00" * 32),
        (3, "00" * 32),
        (1, "00" * 31),
        (1, "zz" * 32),
        (-1, "00" * 32),
        (3, f"{'00' * 32}  {'00' * 32}"),
    ],
)
def test_a_frontier_that_does_not_fit_its_size_is_refused(size: int, text: str) -> None:
    with pytest.raises(ValueError, match=r"frontier|hex"):
        Frontier.from_text(size, text)
