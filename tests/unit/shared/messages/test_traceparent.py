import pytest

from shared.messages.ids import valid_traceparent

WHOLE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_whole_traceparent_is_carried_on() -> None:
    assert valid_traceparent(WHOLE) == WHOLE


@pytest.mark.parametrize(
    "header",
    [
        None,
        7,
        "",
        WHOLE.upper(),
        WHOLE + "\n",
        WHOLE[:-3],
        "ff" + WHOLE[2:],
        WHOLE.replace("00f067aa0ba902b7", "0" * 16),
    ],
)
def test_anything_else_is_not(header: object) -> None:
    assert valid_traceparent(header) is None
