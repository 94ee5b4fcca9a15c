"""The secret in a customer's tracking link."""

import hashlib
import hmac
from base64 import urlsafe_b64encode


def tracking_token(*, secret: str, ticket_id: int) -> str:
    """The 192-bit token of a ticket. It is derived, so a repeated request gets the same link again
    although only its hash is stored; changing the secret key makes all links invalid.
    """
    digest = hmac.new(secret.encode(), f"tracking:{ticket_id}".encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(digest[:24]).decode("ascii")


def tracking_hash(token: str) -> str:
    """What is stored of a token and looked up when somebody presents it."""
    return hashlib.sha256(token.encode()).hexdigest()


def tracking_path(token: str) -> str:
    """The customer's page of a ticket, below the public address."""
    return f"/track/{token}"
