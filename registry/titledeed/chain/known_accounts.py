"""Accounts whose keys everybody has; they may stand for somebody on development chains alone."""

from __future__ import annotations

from typing import Final

from titledeed.errors import ConfigurationError
from titledeed.models.evidence import ChainKind
from titledeed.models.primitives import Address

DEVELOPMENT_ACCOUNTS: Final = frozenset(
    {
        "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
        "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
        "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
        "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
        "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
        "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
        "0x976EA74026E726554dB657fA54763abd0C3a0aa9",
        "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
        "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f",
        "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
    }
)
"""Of the mnemonic that every anvil and hardhat starts with."""


def refuse_known_account(account: Address, kind: ChainKind) -> None:
    """Check that not everybody can sign for an account that pays or claims.

    Raises:
        ConfigurationError: everybody can, and the chain is public.
    """
    if kind is ChainKind.PUBLIC and account in DEVELOPMENT_ACCOUNTS:
        raise ConfigurationError(
            f"the key of {account} is public knowledge",
            next_step="Use an account of your own on a public chain.",
        )
