"""A signed SAML 2.0 assertion (saml-core-2.0; XML signature 1.1), written in canonical form from the start.

Every namespace is a default one, declared where it begins, attributes stand in their order and no element closes itself: the
text is its own exclusive canonicalisation, so that no XML library is needed to sign it.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_DSIG = "http://www.w3.org/2000/09/xmldsig#"


@dataclass(frozen=True, slots=True)
class Claim:
    """Who asks for whom: the identity provider's and the OAuth client's names, the user, and for which service."""

    issuer: str
    client_id: str
    user: str
    user_format: str  # unspecified: the user's id; emailAddress
    audience: str
    recipient: str


def signed_assertion(claim: Claim, key: "RSAPrivateKey", certificate: str, now: datetime, until: datetime) -> str:
    """The assertion with its signature, as XML. ``certificate`` is PEM; the identity provider is registered with it."""
    name = f"_{uuid4().hex}"
    head, rest = _parts(claim, name, _wire(now), _wire(until))
    return head + _signature(head + rest, name, key, certificate) + rest


def _parts(claim: Claim, name: str, now: str, until: str) -> tuple[str, str]:
    """The assertion in front of its signature, and behind."""
    head = (
        f'<Assertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion" ID="{name}" IssueInstant="{now}" Version="2.0">'
        f"<Issuer>{_text(claim.issuer)}</Issuer>"
    )
    rest = (
        f'<Subject><NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:{claim.user_format}">{_text(claim.user)}'
        '</NameID><SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><SubjectConfirmationData '
        f'NotOnOrAfter="{until}" Recipient="{_attribute(claim.recipient)}"></SubjectConfirmationData>'
        f'</SubjectConfirmation></Subject><Conditions NotBefore="{now}" NotOnOrAfter="{until}"><AudienceRestriction>'
        f"<Audience>{_text(claim.audience)}</Audience></AudienceRestriction></Conditions>"
        '<AttributeStatement><Attribute Name="client_id"><AttributeValue>'
        f"{_text(claim.client_id)}</AttributeValue></Attribute></AttributeStatement>"
        f'<AuthnStatement AuthnInstant="{now}" SessionNotOnOrAfter="{until}"><AuthnContext><AuthnContextClassRef>'
        "urn:oasis:names:tc:SAML:2.0:ac:classes:PreviousSession</AuthnContextClassRef></AuthnContext></AuthnStatement>"
        "</Assertion>"
    )
    return head, rest


def _signature(assertion: str, name: str, key: "RSAPrivateKey", certificate: str) -> str:
    """The enveloped signature: RSA with SHA-256 over what the assertion is without it."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # slow to import, and used by one flow
    from cryptography.hazmat.primitives.hashes import SHA256

    digest = base64.b64encode(hashlib.sha256(assertion.encode()).digest()).decode()
    info = (
        f'<SignedInfo xmlns="{_DSIG}"><CanonicalizationMethod Algorithm="{_EXCLUSIVE}"></CanonicalizationMethod>'
        '<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></SignatureMethod>'
        f'<Reference URI="#{name}"><Transforms><Transform Algorithm="{_DSIG}enveloped-signature"></Transform>'
        f'<Transform Algorithm="{_EXCLUSIVE}"></Transform></Transforms>'
        '<DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></DigestMethod>'
        f"<DigestValue>{digest}</DigestValue></Reference></SignedInfo>"
    )
    value = base64.b64encode(key.sign(info.encode(), PKCS1v15(), SHA256())).decode()
    inner = info.replace(f' xmlns="{_DSIG}"', "", 1)  # declared by the element around it
    return (
        f'<Signature xmlns="{_DSIG}">{inner}<SignatureValue>{value}</SignatureValue><KeyInfo><X509Data><X509Certificate>'
        f"{_body(certificate)}</X509Certificate></X509Data></KeyInfo></Signature>"
    )


def _body(certificate: str) -> str:
    """The Base64 of the first certificate of a PEM text."""
    text = certificate.partition("-----BEGIN CERTIFICATE-----")[2].partition("-----END")[0]
    return "".join(text.split())


def _text(text: str) -> str:
    return escape(text, {"\r": "&#xD;"})


def _attribute(text: str) -> str:
    """Canonical form leaves ``>`` as it is in attributes, and in texts not."""
    return escape(text, {'"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"}).replace("&gt;", ">")


def _wire(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.000Z}"
