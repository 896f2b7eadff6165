"""What is about to be signed, and who is at it."""

from __future__ import annotations

import os

import builders
import pytest
from repository_adapters import accept

from titledeed.errors import DependencyError
from titledeed.models.registration import SigningIntent
from titledeed.ports import Repositories


def test_intent_is_replaced_and_forgotten_on_acceptance(repositories: Repositories) -> None:
    registration = builders.build_registration(1)
    first = SigningIntent(registration.registration_id, "/in/a.mp4", None)
    second = SigningIntent(
        registration.registration_id, os.fsdecode(b"/in/\xff.mp4"), "/signed/a.mp4"
    )
    assert repositories.registrations.find_intent(registration.registration_id) is None
    repositories.registrations.save_intent(first)
    assert repositories.registrations.find_intent(registration.registration_id) == first
    repositories.registrations.save_intent(second)
    assert repositories.registrations.find_intent(registration.registration_id) == second
    accept(repositories, registration)
    assert repositories.registrations.find_intent(registration.registration_id) is None


def test_intent_for_what_is_accepted_already_is_forgotten(repositories: Repositories) -> None:
    registration, other = builders.build_registration(1), builders.build_registration(2)
    accept(repositories, registration)
    for item in (registration, other):
        repositories.registrations.save_intent(
            SigningIntent(item.registration_id, "/in/a.mp4", None)
        )
    accept(repositories, registration)
    assert repositories.registrations.find_intent(registration.registration_id) is None
    assert repositories.registrations.find_intent(other.registration_id) is not None


def test_what_was_intended_is_listed_and_can_be_given_up(repositories: Repositories) -> None:
    intents = [
        SigningIntent(builders.build_registration(seed).registration_id, "/in/a.mp4", signed)
        for seed, signed in ((1, None), (2, "/signed/a.mp4"))
    ]
    for intent in intents:
        repositories.registrations.save_intent(intent)
    found = repositories.registrations.list_intents()
    assert sorted(found, key=str) == sorted(intents, key=str)
    repositories.registrations.forget_intent(intents[0].registration_id)
    repositories.registrations.forget_intent(intents[0].registration_id)
    assert repositories.registrations.list_intents() == intents[1:]


def test_who_does_not_wait_is_refused_at_once(repositories: Repositories) -> None:
    held = builders.build_registration(1).registration_id
    with (
        repositories.registrations.hold(held),
        pytest.raises(DependencyError),
        repositories.registrations.hold(held, wait=False),
    ):
        pass
    with repositories.registrations.hold(held, wait=False):
        pass
