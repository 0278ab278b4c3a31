from __future__ import annotations

import io
from urllib.error import URLError

import pytest

from egca_plugin.errors import AssetError
from egca_plugin.tasks import hub


@pytest.fixture(autouse=True)
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)


def answer(monkeypatch: pytest.MonkeyPatch, content: bytes | Exception) -> list[str]:
    """A hub that says ``content``; returns the addresses it was asked for."""
    asked: list[str] = []

    def urlopen(address: str, timeout: float) -> io.BytesIO:
        asked.append(address)
        if isinstance(content, Exception):
            raise content
        return io.BytesIO(content)

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    return asked


def test_a_hub_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answer(monkeypatch, b'{"id": "x"}')
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/")
    assert hub.reachable("api/datasets/x")
    assert asked == ["https://mirror.example/api/datasets/x"]


@pytest.mark.parametrize("content", [URLError("no route"), TimeoutError(), b"<html>Please sign in</html>"])
def test_no_hub_or_something_else_in_its_place(monkeypatch: pytest.MonkeyPatch, content: bytes | Exception) -> None:
    answer(monkeypatch, content)
    assert not hub.reachable("api/datasets/x")
    with pytest.raises(AssetError, match=r"the hub does not answer for x; give a file of it instead"):
        list(hub.rows("x"))


def test_offline_means_that_the_network_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answer(monkeypatch, b"{}")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert not hub.reachable("api/datasets/x")
    assert asked == []


def test_rows_name_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, b"{}")
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets, "load_dataset", lambda name, config: {"train": [{"a": 1}], "test": [{"a": 2}]})
    assert list(hub.rows("x", "full")) == [("x train[0]", {"a": 1}), ("x test[0]", {"a": 2})]
