"""How a file finds its language: by the name of its folder."""

from crypto_assets.resources.data_set.assign import Assigned, Assigner, Proposal
from crypto_assets.resources.data_set.refresh import Refresh
from crypto_assets.resources.inbox.inbox import uploaded
from crypto_assets_tests.toy.data_set import TOY


class ToyAssigner(Assigner):
    def __init__(self, registry, inbox):
        self._registry, self._inbox = registry, inbox

    def propose(self, arrival, content):
        language, _, file = arrival.key.rpartition("/")
        kind = file.removesuffix(".txt")
        if kind not in TOY.files:
            return None
        upload = uploaded(arrival.key, content)
        return Proposal(self, arrival, kind, upload, content, language)

    def accept(self, proposals):
        for key, proposal in proposals.items():
            language, kind, upload = proposal.partition, proposal.kind, proposal.upload
            self._registry.assign(language, kind, upload, {})
            yield key, Assigned(TOY, f"the {kind} of {language}", language, {kind: upload})


class ToyRefresh(Refresh):
    def assigner(self, inbox):
        return ToyAssigner(self.registry, inbox)
