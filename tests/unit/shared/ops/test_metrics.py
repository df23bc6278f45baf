from prometheus_client.metrics import MetricWrapperBase

from shared.ops import metrics

EXPORTED = [value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase)]


def test_there_is_something_to_watch() -> None:
    assert len(EXPORTED) > 20


def test_every_name_begins_with_the_product() -> None:
    assert [metric for metric in EXPORTED if not metric._name.startswith("tandem_")] == []


def test_labels_come_from_closed_sets() -> None:
    labels = {label for metric in EXPORTED for label in metric._labelnames}
    assert labels <= {
        "service",
        "key",
        "code",
        "event",
        "reason",
        "timer",
        "outcome",
        "pack",
        "evaluator",
        "optimal",
        "decision",
    }


def test_every_metric_says_what_it_is() -> None:
    assert [metric._name for metric in EXPORTED if not metric._documentation.endswith(".")] == []
