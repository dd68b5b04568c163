"""The images of a set that show one identity in the pose of another: where they exist, a swap has a truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ebgan.data import ImageSet
from ebgan.disentangle.triplets import Identities
from ebgan.errors import UserError, did_you_mean

MISSING = -1


class Poses:
    """What differs between the images of one identity, and which image has a given identity and pose.

    Attributes:
        factors: the names of those factors, that of most values first; without any, a set has no poses.

    Example:
        >>> import numpy as np
        >>> from ebgan.data import Factor
        >>> light = Factor(np.array([0, 1, 0, 1]), ("left", "right"))
        >>> images, who = np.zeros((4, 1, 8, 8), np.uint8), np.array([0, 0, 1, 1])
        >>> faces = ImageSet(images, who, "faces", "test", ("Ada", "Bo"), {"light": light})
        >>> poses = Poses(faces, Identities(faces, ("class",)))
        >>> poses.factors, poses.true(style=np.array([1]), identity=np.array([2]))
        (('light',), array([3]))
    """

    def __init__(self, images: ImageSet, identities: Identities) -> None:
        labels = {name: factor.labels for name, factor in images.factors.items()}
        differing = (
            name
            for name, of in labels.items()
            if any(len(np.unique(of[group])) > 1 for group in identities.groups)
        )
        self.factors = tuple(sorted(differing, key=lambda name: -len(images.factors[name].values)))
        self._labels = labels
        self._identity = np.empty(len(images), np.int64)
        for number, group in enumerate(identities.groups):
            self._identity[group] = number
        self._pose = np.zeros(len(images), np.int64)
        if self.factors:
            counts = tuple(len(images.factors[name].values) for name in self.factors)
            self._pose = np.ravel_multi_index(tuple(labels[name] for name in self.factors), counts)
        self._poses = int(self._pose.max()) + 1
        keys = self._identity * self._poses + self._pose
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]

    def true(self, *, style: NDArray[np.int64], identity: NDArray[np.int64]) -> NDArray[np.int64]:
        """The image of the identity of one image in the pose of another, -1 where there is none."""
        if not self.factors:
            return np.full(np.broadcast(style, identity).shape, MISSING)
        wanted = self._identity[identity] * self._poses + self._pose[style]
        place = np.searchsorted(self._keys, wanted).clip(max=len(self._keys) - 1)
        return np.where(self._keys[place] == wanted, self._order[place], MISSING)

    def along(self, image: int, factor: str, most: int) -> NDArray[np.int64]:
        """Images of the identity of `image` that differ in `factor` alone, in the order of its values.

        Raises:
            UserError: `factor` does not differ between the images of one identity.
        """
        if factor not in self.factors:
            known = ", ".join(self.factors) or "none"
            near = did_you_mean(factor, self.factors)
            raise UserError(f"factor: got {factor!r}, those that differ within an identity are {known}{near}")
        alike = self._identity == self._identity[image]
        for name in self.factors:
            if name != factor:
                alike &= self._labels[name] == self._labels[name][image]
        found = np.flatnonzero(alike)
        found = found[np.argsort(self._labels[factor][found], kind="stable")]
        return found[np.linspace(0, len(found) - 1, min(len(found), most)).round().astype(int)]
