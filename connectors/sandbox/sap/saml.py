"""What a tenant asks of a SAML assertion: who, for whom, until when, and a signature that fits (RSA, SHA-256, exclusive C14N)."""

import base64
import binascii
import hashlib
import re
from collections.abc import Container
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_der_x509_certificate

_SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
_DSIG = "http://www.w3.org/2000/09/xmldsig#"
_SUBJECT = f"{_SAML}Subject/{_SAML}SubjectConfirmation/{_SAML}SubjectConfirmationData"


def problem(assertion: str, users: Container[str], url: str, recipient: str) -> str:
    """What is wrong with an assertion in Base64; "" if nothing is. Any certificate is taken for the registered one."""
    try:
        text = base64.b64decode(assertion, validate=True).decode()
        root = ET.fromstring(text)  # noqa: S314 - a test's own words, loopback only
    except (binascii.Error, ET.ParseError, ValueError):
        return "The SAML assertion cannot be read"
    if root.tag != f"{_SAML}Assertion" or not _is_signed(text, root):
        return "The SAML assertion is not signed, or its signature does not fit"
    name = root.findtext(f"{_SAML}Subject/{_SAML}NameID") or ""
    if not root.findtext(f"{_SAML}Issuer") or name not in users:
        return "The user or the identity provider is not known"
    if root.findtext(f"{_SAML}Conditions/{_SAML}AudienceRestriction/{_SAML}Audience") != url.partition("//")[2]:
        return "The audience is not this tenant"
    confirmed = root.find(_SUBJECT)
    if confirmed is None or confirmed.get("Recipient") != recipient:
        return "The recipient is not this token service"
    return "" if _holds(confirmed.get("NotOnOrAfter", "")) else "The SAML assertion is not valid any more"


def _holds(until: str) -> bool:
    try:
        return datetime.fromisoformat(until) > datetime.now(UTC)
    except (ValueError, TypeError):
        return False


def _is_signed(text: str, root: ET.Element) -> bool:
    """Whether digest and signature fit, for an assertion whose namespaces are default ones."""
    signature, info = root.find(f"{{{_DSIG}}}Signature"), re.search(r"<SignedInfo>.*</SignedInfo>", text, re.DOTALL)
    if signature is None or info is None:
        return False
    body = ET.canonicalize(text, exclude_tags=[signature.tag])
    stated = ET.canonicalize(info[0].replace("<SignedInfo>", f'<SignedInfo xmlns="{_DSIG}">', 1))
    try:
        reference, digest, value, certificate = (
            _found(signature, path)
            for path in (
                "SignedInfo/Reference",
                "SignedInfo/Reference/DigestValue",
                "SignatureValue",
                "KeyInfo/X509Data/X509Certificate",
            )
        )
        key = load_der_x509_certificate(base64.b64decode(certificate.text or "")).public_key()
        if not isinstance(key, RSAPublicKey) or reference.get("URI") != f"#{root.get('ID')}":
            return False
        key.verify(base64.b64decode(value.text or ""), stated.encode(), PKCS1v15(), SHA256())
    except (InvalidSignature, KeyError, ValueError):
        return False
    return base64.b64decode(digest.text or "") == hashlib.sha256(body.encode()).digest()


def _found(signature: ET.Element, path: str) -> ET.Element:
    element = signature.find("/".join(f"{{{_DSIG}}}{step}" for step in path.split("/")))
    if element is None:
        raise KeyError(path)
    return element
