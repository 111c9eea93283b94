"""Settings: working defaults, and a clear sentence for what is wrong."""

from pathlib import Path

import pytest

from healthcert.config import Oidc, Settings
from healthcert.errors import BadSettings


def settings(root: Path = Path("/srv/hc"), **env: str) -> Settings:
    return Settings.from_env({f"HEALTHCERT_{name}": value for name, value in env.items()}, root)


def test_nothing_set_is_a_demonstration_on_this_machine():
    found = settings()
    assert found.development
    assert (found.host, found.port, found.base_url) == ("127.0.0.1", 8000, "http://localhost:8000")
    assert found.database_url == "sqlite:////srv/hc/var/healthcert.db"
    assert found.bundle == Path("/srv/hc/var/bundle.hcb")
    assert found.pins_dir == Path("/srv/hc/keys/trust/bundle")
    assert found.secret_file == Path("/srv/hc/keys/development/secret")
    assert found.languages == ("en", "fr", "ar")


OIDC = {"STAFF_OIDC_ISSUER": "https://id.example", "STAFF_OIDC_CLIENT_ID": "hc"}
FILE = {"STAFF_OIDC_SECRET_FILE": "oidc"}


def test_an_identity_provider_is_named_wholly_and_spoken_to_safely():
    found = settings(**OIDC, **FILE)
    assert found.staff_oidc == Oidc("https://id.example", "hc", Path("/srv/hc/oidc"))
    assert found.citizen_oidc is None
    assert settings(**OIDC | FILE | {"STAFF_OIDC_ISSUER": "http://localhost:9000"}).staff_oidc
    for wrong in (OIDC, OIDC | FILE | {"STAFF_OIDC_ISSUER": "http://id.example"}):
        with pytest.raises(BadSettings, match="HEALTHCERT_STAFF_OIDC_ISSUER"):
            settings(**wrong)


def test_an_empty_variable_means_the_default():
    assert settings(COUNTRY=" ").country == "XX"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_addresses_mean_psycopg_3(scheme):
    assert settings(DATABASE_URL=f"{scheme}://u@h/d").database_url == "postgresql+psycopg://u@h/d"


def test_the_address_people_type_follows_the_port_and_ends_without_a_slash():
    assert settings(PORT="8080").base_url == "http://localhost:8080"
    assert settings(BASE_URL="https://health.example/").base_url == "https://health.example"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "-1"),
        ("PORT", "٨"),
        ("COUNTRY", "Lebanon"),
        ("LANGUAGES", "en;fr"),
        ("ENV", "staging"),
        ("LOG_LEVEL", "loud"),
        ("HOST", "0.0.0.0"),
        ("HOST", "health.example"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name, value):
    with pytest.raises(BadSettings, match=f"HEALTHCERT_{name} is"):
        settings(**{name: value})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_development_listens_on_this_machine(host):
    assert settings(HOST=host).host == host


def test_production_listens_anywhere_and_needs_https():
    found = settings(ENV="production", HOST="0.0.0.0", BASE_URL="https://health.example")
    assert (found.development, found.host) == (False, "0.0.0.0")
    with pytest.raises(BadSettings, match="https"):
        settings(ENV="production", BASE_URL="http://health.example")


def test_a_copy_with_changes_leaves_the_first_alone():
    first = settings()
    assert (first.at(port=9000).port, first.port) == (9000, 8000)
