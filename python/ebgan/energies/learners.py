"""All learners by name, in the order of the deck's seven strategies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ebgan.energies.constant_volume import GMM, PCA, KMeans, SquareICA
from ebgan.energies.contractive import ContractiveAutoEncoder, SaturatingAutoEncoder
from ebgan.energies.contrastive import ContrastiveDivergence, NoiseContrastive
from ebgan.energies.denoising import DenoisingAutoEncoder
from ebgan.energies.discrete import MinimumProbabilityFlow, RatioMatching
from ebgan.energies.ebgan import EBGAN
from ebgan.energies.learner import Learner
from ebgan.energies.likelihood import MaximumLikelihood
from ebgan.energies.score_matching import DenoisingScoreMatching, ScoreMatching
from ebgan.energies.sparse import PSD, SparseAutoEncoder, SparseCoding
from ebgan.errors import one_of


@dataclass(frozen=True)
class Kind:
    """A kind of learner: its number among the deck's strategies, its title, and how one is made of a seed."""

    strategy: int
    title: str
    make: Callable[[int], Learner]


KINDS = {
    "pca": Kind(1, "PCA", lambda _: PCA()),
    "k-means": Kind(1, "K-means", lambda seed: KMeans(seed=seed)),
    "gmm": Kind(1, "Gaussian mixture", lambda seed: GMM(seed=seed)),
    "square-ica": Kind(1, "square ICA", lambda seed: SquareICA(seed=seed)),
    "likelihood": Kind(2, "maximum likelihood", lambda seed: MaximumLikelihood(seed=seed)),
    "cd": Kind(3, "contrastive divergence", lambda seed: ContrastiveDivergence(seed=seed)),
    "pcd": Kind(3, "persistent CD", lambda seed: ContrastiveDivergence(persistent=True, seed=seed)),
    "nce": Kind(3, "noise contrastive", lambda seed: NoiseContrastive(seed=seed)),
    "ratio-matching": Kind(3, "ratio matching", lambda seed: RatioMatching(seed=seed)),
    "probability-flow": Kind(3, "minimum probability flow", lambda seed: MinimumProbabilityFlow(seed=seed)),
    "ebgan": Kind(3, "EBGAN", lambda seed: EBGAN(seed=seed)),
    "score": Kind(4, "score matching", lambda seed: ScoreMatching(seed=seed)),
    "denoising-score": Kind(4, "denoising score matching", lambda seed: DenoisingScoreMatching(seed=seed)),
    "denoising": Kind(5, "denoising auto-encoder", lambda seed: DenoisingAutoEncoder(seed=seed)),
    "sparse-coding": Kind(6, "sparse coding", lambda seed: SparseCoding(seed=seed)),
    "sparse": Kind(6, "sparse auto-encoder", lambda seed: SparseAutoEncoder(seed=seed)),
    "psd": Kind(6, "predictive sparse decomposition", lambda seed: PSD(seed=seed)),
    "contractive": Kind(7, "contractive auto-encoder", lambda seed: ContractiveAutoEncoder(seed=seed)),
    "saturating": Kind(7, "saturating auto-encoder", lambda seed: SaturatingAutoEncoder(seed=seed)),
}


def kind_of(name: str) -> Kind:
    """The kind of learner with this name.

    Raises:
        UserError: there is none.
    """
    one_of("learners", name, KINDS)
    return KINDS[name]
