"""A scrape, read with the parser of prometheus_client."""

from __future__ import annotations

from collections.abc import Iterable

import httpx
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.support.service import Service

Labels = frozenset[tuple[str, str]]


class Scrape:
    """The samples of one answer of /metrics, by name and labels."""

    def __init__(self, text: str) -> None:
        self.families: list[Metric] = list(text_string_to_metric_families(text))
        self._samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float:
        """The value of one sample; 0 if there is no sample with these labels yet."""
        return self._samples.get((name, frozenset(labels.items())), 0.0)

    def labels(self) -> Iterable[tuple[str, str]]:
        """Every pair of a label and one of its values."""
        return {pair for _, labels in self._samples for pair in labels}


def scrape(service: Service) -> Scrape:
    answer: httpx.Response = service.get("/metrics")
    assert answer.status_code == 200
    return Scrape(answer.text)
