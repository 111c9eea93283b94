"""What the application, the worker and the commands open once and hand on."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from healthcert.config import Settings
from healthcert.data import knowledge
from healthcert.data.knowledge import Country
from healthcert.db import Doors, make_engine, refuse_unready
from healthcert.errors import BadSettings
from healthcert.gateways.mail import MailRelay, Send, keep
from healthcert.gateways.signer import Signer
from healthcert.gateways.vault import Vault
from healthcert.hcert import self_test
from healthcert.hcert.cose import PublicKey
from healthcert.hcert.trust import TrustList
from healthcert.services import rotation
from healthcert.services.development_keys import check_production_keys
from healthcert.services.keys import Keyring, load_vault, read_secret
from healthcert.services.trusted import load_pins, load_trust


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a running service.

    Attributes:
        settings: What the operator decided.
        doors: The ways to the rows.
        vault: Seals and opens what is personal.
        signers: Our certificate signers by key identifier; `services.signing_keys` says who signs.
        trust: The signers of others whose certificates count, and perhaps ours.
        pins: The keys a bundle must be signed by.
        pepper: Secret of one-time codes.
        country: What the issuing country decides.
        channels: How messages leave, by channel; one that is missing keeps its messages queued.
    """

    settings: Settings
    doors: Doors
    vault: Vault = field(repr=False)
    signers: Mapping[bytes, Signer] = field(repr=False)
    trust: TrustList = field(repr=False)
    pins: Collection[PublicKey] = field(repr=False)
    pepper: bytes = field(repr=False)
    country: Country = field(repr=False)
    channels: Mapping[str, Send] = field(repr=False)

    def refuse_wrong_keys(self) -> None:
        """Refuse (`WrongKeys`) a database whose people lie under a vault key not here."""
        with self.doors.reading() as db:
            rotation.refuse_wrong_keys(db, self.vault)

    def close(self) -> None:
        """Give back the connections to the database."""
        self.doors.engine.dispose()


def open_parts(settings: Settings) -> Parts:
    """Return the parts that these settings ask for; the database is not looked at yet.

    Raises:
        NotReady: The codec fails its self-test, or a secret, a key or a certificate is missing or
            cannot be read.
        SignerUnavailable: A signing key is there and cannot be opened.
        BadSettings: The country is not known, a channel's address cannot be used, or
            production's keys are not fit for it.
    """
    self_test()
    private = settings.keys_dir / settings.env
    if settings.env == "production":
        check_production_keys(settings.keys_dir, settings.secret_file)
    secret = read_secret(settings.secret_file)
    trust = settings.keys_dir / "trust" / "certificates"
    return Parts(
        settings=settings,
        doors=Doors(make_engine(settings.database_url)),
        vault=load_vault(private),
        signers=Keyring(private, secret),
        trust=load_trust(trust),
        pins=load_pins(settings.pins_dir),
        pepper=HKDF(SHA256(), 32, salt=None, info=b"healthcert one-time codes").derive(secret),
        country=knowledge.country(settings.country),
        channels=_channels(settings),
    )


@contextmanager
def ready_parts(settings: Settings) -> Iterator[Parts]:
    """Give the parts on a database that is ready for them, and close them in the end.

    Raises:
        NotReady: See `open_parts` and `refuse_unready`, as for what else may be wrong.
    """
    with closing(open_parts(settings)) as parts:
        refuse_unready(parts.doors.engine)
        yield parts


def _channels(settings: Settings) -> Mapping[str, Send]:
    if settings.sms_url:
        raise BadSettings("HEALTHCERT_SMS_URL is set, but this version has no text gateway")
    kept = {} if settings.env == "production" else {"sms": keep, "mail": keep}
    if not settings.mail_url:
        return kept
    host = urlsplit(settings.base_url).hostname or "localhost"
    return kept | {"mail": MailRelay(settings.mail_url, f"no-reply@{host}").send}
