"""Many uploads at a time: read in processes, in their order, each with its own fault alone."""

from __future__ import annotations

import math
import time

import pytest

from crypto_assets.resources.data_set import assign
from crypto_assets.resources.data_set.assign import Assigner, Proposal, kept, propose_all
from crypto_assets.resources.errors import RefusedError, UnclearError
from crypto_assets.resources.inbox.inbox import Inbox, uploaded
from crypto_assets.resources.inbox.stored import pinned_key
from crypto_assets.resources.storage.local import LocalObjects
from crypto_assets.spark import each
from crypto_assets.spark.job_spec import JobSpec, Partition

FEW, MANY = 3, 60


class Reader(Assigner):
    """Proposes every upload, but for those that say what is wrong with them."""

    def propose(self, arrival, content):
        match content.decode():
            case "unclear":
                raise UnclearError("whose it is")
            case "broken":
                raise KeyError("it broke")
            case "refused":
                raise RefusedError("no permission")
            case "kills":
                partition = Partition(arrival.key, {}, {"dies": "always"})
                spec = JobSpec("crypto_assets_tests.toy.dying_job", "", "", ("only",), (partition,))
                (piece,) = each.pieces(spec)
                raise UnclearError(self.workers.answer(piece, lambda _, code: f"ended: {code}"))
        return Proposal(self, arrival, "words", uploaded(arrival.key, content), content)

    def accept(self, proposals):
        raise NotImplementedError


@pytest.fixture(autouse=True)
def many(monkeypatch):
    monkeypatch.setattr(assign, "MANY", MANY)


@pytest.fixture
def inbox(tmp_path):
    return Inbox(objects=LocalObjects(root=str(tmp_path / "inbox")))


def deliver(inbox, count, **odd):
    """The arrivals of so many files, of which those named say something odd."""
    texts = {f"f{number:02}": f"content {number}" for number in range(count)} | odd
    for key, text in texts.items():
        inbox.objects.write(key, text.encode())
    return [inbox.arrival(key) for key in texts]


@pytest.mark.parametrize("count", [FEW, MANY])
def test_uploads_are_proposed_in_their_order_and_the_fault_of_one_is_its_own(inbox, count):
    arrivals = deliver(inbox, count, f01="unclear", f02="broken")
    found = list(propose_all(arrivals, inbox, [Reader()], math.inf))
    assert [arrival for arrival, _ in found] == arrivals
    faults = {arrival.key: repr(each) for arrival, each in found if isinstance(each, Exception)}
    assert faults == {"f01": "UnclearError('whose it is')", "f02": "KeyError('it broke')"}


def test_a_file_that_kills_its_process_is_alone_in_that(inbox):
    arrivals = deliver(inbox, MANY, f05="kills", f30="kills")
    found = list(propose_all(arrivals, inbox, [Reader()], math.inf))
    faults = {arrival.key: str(each) for arrival, each in found if isinstance(each, Exception)}
    assert faults == {"f05": "ended: -9", "f30": "ended: -9"}
    assert len(found) == MANY


@pytest.mark.parametrize("count", [FEW, MANY])
def test_what_says_nothing_of_one_upload_is_raised(inbox, count):
    arrivals = deliver(inbox, count, f01="refused")
    with pytest.raises(RefusedError, match="no permission"):
        list(propose_all(arrivals, inbox, [Reader()], math.inf))


@pytest.mark.parametrize("count", [FEW, MANY])
def test_what_has_not_begun_at_the_deadline_is_left_out(inbox, count):
    arrivals = deliver(inbox, count)
    assert list(propose_all(arrivals, inbox, [Reader()], time.monotonic() - 1)) == []


def test_contents_are_kept_before_their_proposals_are_passed_on(inbox, monkeypatch):
    monkeypatch.setattr(assign, "KEPT_UPLOADS", 2)
    arrivals = deliver(inbox, FEW, f01="unclear")
    found = propose_all(arrivals, inbox, [Reader()], math.inf)
    for arrival, proposal in kept(inbox, found):
        if isinstance(proposal, Proposal):
            assert proposal.content == b""
            content = inbox.read(arrival.key, 100)
            assert inbox.objects.read(pinned_key(proposal.upload.etag)) == content
