from pathlib import Path

import pytest

from shared.ops.settings import Settings, SettingsErrors, read_settings, without_password


def test_nothing_set_gives_the_defaults() -> None:
    assert read_settings({}) == Settings()


def test_variables_of_others_are_left_alone() -> None:
    assert read_settings({"PATH": "/bin", "AMQP_URI": "nonsense"}) == Settings()


def test_an_empty_variable_counts_as_unset() -> None:
    assert read_settings({"TANDEM_BATCH_MESSAGES": "", "TANDEM_RULES_ENGINE": " "}) == Settings()


def test_values_are_converted() -> None:
    settings = read_settings({"TANDEM_BATCH_MESSAGES": "50", "TANDEM_RULES_DIR": "/etc/tandem/rules"})
    assert settings.batch_messages == 50
    assert settings.rules_dir == Path("/etc/tandem/rules")


def test_a_secret_is_read_from_its_file(tmp_path: Path) -> None:
    secret = tmp_path / "uri"
    secret.write_text("amqp://load:s3cret@broker/\n", encoding="utf-8")
    assert read_settings({"TANDEM_AMQP_URI_FILE": str(secret)}).amqp_uri == "amqp://load:s3cret@broker/"


def test_a_value_and_its_file_together_are_refused(tmp_path: Path) -> None:
    secret = tmp_path / "uri"
    secret.write_text("amqp://broker/", encoding="utf-8")
    with pytest.raises(SettingsErrors, match="TANDEM_AMQP_URI: is given twice"):
        read_settings({"TANDEM_AMQP_URI": "amqp://other/", "TANDEM_AMQP_URI_FILE": str(secret)})


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsErrors) as caught:
        read_settings(
            {
                "TANDEM_AMPQ_URI": "amqp://broker/",
                "TANDEM_BATCH_MESSAGES": "0",
                "TANDEM_LOG_LEVEL": "loud",
                "TANDEM_DATABASE_URL_FILE": str(tmp_path / "none"),
                "TANDEM_ZZZ": "1",
            }
        )
    assert sorted(caught.value.problems) == [
        "TANDEM_AMPQ_URI: there is no such setting; did you mean TANDEM_AMQP_URI?",
        "TANDEM_BATCH_MESSAGES: input should be greater than or equal to 1",
        f"TANDEM_DATABASE_URL_FILE: cannot read {tmp_path / 'none'}: No such file or directory",
        "TANDEM_LOG_LEVEL: input should be 'debug', 'info', 'warning' or 'error'",
        "TANDEM_ZZZ: there is no such setting",
    ]


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("TANDEM_AMQP_URI", "http://broker/", "must begin with amqp://"),
        ("TANDEM_DATABASE_URL", "mysql://db/tandem", "must begin with sqlite:///"),
        ("TANDEM_DATABASE_URL", "postgresql+psycopg://db/tandem", "driver psycopg2"),
        ("TANDEM_DATABASE_URL", "sqlite:///tandem.sqlite3", "must contain {service}"),
        ("TANDEM_LOAD_DATABASE_URL", "oracle://db", "must begin with sqlite:///"),
        ("TANDEM_CONFIRM_TIMEOUT_SECONDS", "nan", "finite number"),
        ("TANDEM_METRICS_PORT", "65536", "less than or equal to 65535"),
    ],
)
def test_a_value_that_cannot_work_is_refused(variable: str, value: str, said: str) -> None:
    with pytest.raises(SettingsErrors) as caught:
        read_settings({variable: value})
    (problem,) = caught.value.problems
    assert problem.startswith(f"{variable}: ")
    assert said in problem


def test_a_wrong_secret_is_not_quoted() -> None:
    with pytest.raises(SettingsErrors) as caught:
        read_settings({"TANDEM_AMQP_URI": "http://tandem:s3cret@broker/"})
    assert "s3cret" not in str(caught.value)


def test_a_service_has_its_own_database() -> None:
    settings = read_settings(
        {
            "TANDEM_DATABASE_URL": "sqlite:////data/{service}.sqlite3",
            "TANDEM_RECOVERY_DATABASE_URL": "postgresql+psycopg2://recovery@db/tandem",
        }
    )
    assert settings.database_url_of("load") == "sqlite:////data/load.sqlite3"
    assert settings.database_url_of("recovery") == "postgresql+psycopg2://recovery@db/tandem"


def test_passwords_stay_out_of_logs() -> None:
    settings = read_settings({"TANDEM_AMQP_URI": "amqp://tandem:s3cret@broker:5672/%2F?heartbeat=5"})
    assert "s3cret" not in repr(settings)
    assert without_password(settings.amqp_uri) == "amqp://tandem@broker:5672/%2F"
    assert without_password("amqp://broker/") == "amqp://broker/"
