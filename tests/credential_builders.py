"""Small media, an authority, drafts, a signer and a reader for tests of Content Credentials."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import c2pa
from builders import build_dossier
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from media_factory import render_clip, render_picture, render_sound

from titledeed.canonical.documents import Json
from titledeed.credentials.authority import (
    SigningIdentity,
    create_authority,
    open_signing_identity,
    root_certificate,
)
from titledeed.credentials.library import LARGE_FILE_BYTES, build_settings
from titledeed.credentials.reader import C2paReader
from titledeed.credentials.signer import C2paSigner
from titledeed.models.asset import MediaKind, MediaType
from titledeed.models.disclosure import (
    AssetDisclosure,
    DigitalSourceType,
    HumanOversight,
    disclose_model,
)
from titledeed.ports import ManifestDraft, SoftBinding
from titledeed.sandbox import Sandbox, SandboxLimits

PASSPHRASE: Final = "correct horse battery staple"
SIGNED_TYPES: Final = tuple(kind for kind in MediaType if kind.carries_credentials)
GENERATED: Final = disclose_model(
    DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA,
    model="Test Model",
    identifier="pkg:huggingface/test/model@1",
    oversight=HumanOversight.PROMPT_GUIDED,
)
BINDINGS: Final = (
    SoftBinding("org.example.short", "AQID"),
    SoftBinding("org.example.long", "/+8="),
)


class Authority:
    """A development authority in a folder of its own."""

    def __init__(self, folder: Path, *, organization: str = "Test Studio") -> None:
        create_authority(folder, organization=organization, passphrase=PASSPHRASE)
        self.folder = folder
        self.root = root_certificate(folder)
        self.identity = open_signing_identity(folder, PASSPHRASE)

    def signer(
        self,
        identity: SigningIdentity | None = None,
        *,
        large_file_bytes: int = LARGE_FILE_BYTES,
    ) -> C2paSigner:
        """Signs as this authority, or as a given identity."""
        return C2paSigner(
            identity=lambda: identity or self.identity,
            trust_anchors=lambda: self.root,
            generator_version="0.1.0",
            large_file_bytes=large_file_bytes,
        )

    def reader(self, *, memory_bytes_max: int = 512 << 20) -> C2paReader:
        """Reads in the sandbox and trusts this authority alone."""
        return build_reader(lambda: self.root, memory_bytes_max=memory_bytes_max)

    def sign_definition(
        self,
        source: bytes,
        media_type: MediaType,
        definition: dict[str, Json],
        *,
        intent: c2pa.C2paBuilderIntent | None = None,
    ) -> bytes:
        """What another program might sign: any definition, with the library itself."""
        return sign_definition(
            self.identity, self.root, source, media_type, definition, intent=intent
        )


def sign_definition(
    identity: SigningIdentity,
    root: str,
    source: bytes,
    media_type: MediaType,
    definition: dict[str, Json],
    *,
    intent: c2pa.C2paBuilderIntent | None = None,
) -> bytes:
    """What another program might sign with an identity that ``root`` issued."""
    target = io.BytesIO()
    with (
        c2pa.Context.from_dict(build_settings(root)) as context,
        c2pa.Signer.from_callback(
            identity.sign, c2pa.C2paSigningAlg.ES256, identity.chain_pem
        ) as signer,
        c2pa.Builder(definition, context) as builder,
    ):
        if intent is not None:
            builder.set_intent(intent)
        builder.sign(signer, media_type.value, io.BytesIO(source), target)
    return target.getvalue()


def build_reader(
    trust_anchors: Callable[[], str], *, memory_bytes_max: int = 512 << 20
) -> C2paReader:
    """Reads in the sandbox."""
    limits = SandboxLimits(timeout_s=60, memory_bytes_max=memory_bytes_max)
    return C2paReader(sandbox=Sandbox(limits=limits), trust_anchors=trust_anchors)


def issue_for_purpose(authority: Authority, purpose: x509.ObjectIdentifier) -> SigningIdentity:
    """A signing certificate by the same root for this one extended key usage."""
    leaf, root = x509.load_pem_x509_certificates(authority.identity.chain_pem.encode())
    root_key = serialization.load_pem_private_key(
        (authority.folder / "root.key.pem").read_bytes(), PASSPHRASE.encode()
    )
    assert isinstance(root_key, ec.EllipticCurvePrivateKey)
    builder = x509.CertificateBuilder(
        issuer_name=root.subject,
        subject_name=leaf.subject,
        public_key=authority.identity.private_key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=leaf.not_valid_before_utc,
        not_valid_after=leaf.not_valid_after_utc,
    )
    for extension in leaf.extensions:
        value = extension.value
        if isinstance(value, x509.ExtendedKeyUsage):
            value = x509.ExtendedKeyUsage([purpose])
        builder = builder.add_extension(value, critical=extension.critical)
    issued = builder.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return SigningIdentity(issued.decode() + authority.root, authority.identity.private_key)


def build_draft(
    media_type: MediaType,
    *,
    title: str = "A work",
    disclosure: AssetDisclosure = GENERATED,
    soft_bindings: tuple[SoftBinding, ...] = BINDINGS,
    seed: int = 0,
) -> ManifestDraft:
    """What goes into a manifest; the claim is really signed, over other bytes."""
    signed_claim = build_dossier(seed).record.signed_claim
    return ManifestDraft(title, media_type, signed_claim, disclosure, soft_bindings)


def render_media(folder: Path, media_type: MediaType, *, seed: int = 1) -> Path:
    """A small file of this type."""
    path = folder / f"source-{seed}.{media_type.extension}"
    match media_type.kind:
        case MediaKind.IMAGE:
            return render_picture(path, seed=seed, size=(96, 64))
        case MediaKind.VIDEO:
            return render_clip(path, seconds=0.5, seed=seed, size=(96, 64))
        case MediaKind.AUDIO:
            return render_sound(path, seconds=0.5, seed=seed)


def read_details(path: Path, authority: Authority) -> dict[str, Any]:
    """The active manifest as the library itself details it."""
    context = c2pa.Context.from_dict(build_settings(authority.root))
    with context, path.open("rb") as file, c2pa.Reader(None, file, None, context) as reader:
        store = json.loads(reader.detailed_json())
    manifest: dict[str, Any] = store["manifests"][store["active_manifest"]]
    return manifest
