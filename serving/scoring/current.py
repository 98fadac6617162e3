"""The promoted models: predictions for every action of the catalog, reloaded when another bundle is promoted."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from decisioning.catalog import Catalog
from decisioning.customer import FeatureIndex, Profile
from decisioning.domain import HoursOf, Predictions
from features import bundle as bundles
from features.answers import Response, Uplift, Value, scored
from features.bundle import Bundle, BundledModel, BundleError
from features.receptive import Prepared, Timing, habits_of
from features.rows import Actions, Offer, encode_actions, rows
from serving.scoring.fallback import LightGBMPredictor


@dataclass(frozen=True, slots=True)
class _Model:
    """A model, ready: a predictor for each forest, and the catalog's offers that it scores, encoded once.

    `positions` are those of the offers' actions in the catalog; of a model of timing those of the habits in the profile (62,),
    -1 for those that it did not learn from.
    """

    model: BundledModel
    predictors: Mapping[str, LightGBMPredictor]
    positions: NDArray[np.intp]
    offers: Actions | None
    hours: Prepared | None = None

    def raw(self, profile: Profile) -> dict[str, NDArray[np.float64]]:
        """What the answer reads: scores of one row for each offer, or of one for the customer."""
        matrix = rows(self.model.row, profile.index, profile.values[None, :], self.offers)
        return scored(self.model.answer, {name: one.raw for name, one in self.predictors.items()}, matrix)


@dataclass(frozen=True, slots=True)
class _Loaded:
    version: str | None
    models: Mapping[str, _Model]
    reads: Mapping[str, tuple[str, ...]]


class CurrentModels:
    """The bundle that the pointer in `folder` names. Checked at every prediction by one `stat`.

    A bundle that is damaged or learned from another profile is not used: the one before stays, or none.
    """

    def __init__(self, folder: Path, catalog: Catalog, index: FeatureIndex) -> None:
        self._folder = folder
        self._catalog = catalog
        self._index = index
        self._lock = threading.Lock()
        self._seen: str | None = None
        self._loaded = _Loaded(None, {}, {})
        self._trouble: str | None = None
        self._refresh()

    @property
    def bundle(self) -> str | None:
        self._refresh()
        return self._loaded.version

    @property
    def trouble(self) -> str | None:
        """Why the bundle that the pointer names is not used; None where it is, or where there is none."""
        self._refresh()
        return self._trouble

    def predict(self, profile: Profile) -> tuple[Predictions, tuple[str, ...]]:
        """Predictions for every action; an action whose model is missing gets 0 and is never chosen by merit."""
        loaded = self._loaded
        actions = self._catalog.actions
        response = np.zeros(len(actions))
        assumed = np.zeros(len(actions), dtype=np.bool_)
        for at, action in enumerate(actions):
            if action.response.prior is not None:
                response[at], assumed[at] = action.response.prior, True
        nothing: NDArray[np.float64] | None = None
        customer: dict[str, float] = {}
        hours: dict[str, NDArray[np.float64]] = {}
        hours_of: dict[str, HoursOf] = {}
        for name, one in loaded.models.items():
            match one.model.answer:
                case Uplift() as answer:
                    nothing = np.full(len(actions), np.nan) if nothing is None else nothing
                    response[one.positions], nothing[one.positions] = answer.probabilities(one.raw(profile))
                case Response(about="offer") as answer:
                    response[one.positions] = answer.probabilities(one.raw(profile))
                case Response() as answer if profile.known:
                    customer[name] = float(answer.probabilities(one.raw(profile))[0])
                case Timing() as answer if one.hours is not None:
                    own = profile.values.take(one.positions, mode="wrap")
                    own[one.positions < 0] = np.nan
                    hours[answer.channel] = one.hours.factors(own)
                    hours_of[answer.channel] = HoursOf(
                        learned_from=answer.learned_from, own=answer.own and bool((own > 0).any())
                    )
                case Value() as answer if profile.known:
                    customer[name] = float(answer.amounts(one.raw(profile))[0])
        missing = {action.response.model for action in actions if action.response.model} - set(loaded.models)
        reasons = tuple(f"model_missing:{name}" for name in sorted(filter(None, missing)))
        said = Predictions(
            response=response,
            assumed=assumed,
            customer=customer,
            reads=loaded.reads,
            nothing=nothing,
            hours=hours,
            hours_of=hours_of,
        )
        return said, reasons

    def _refresh(self) -> None:
        current = bundles.current(self._folder)
        if current == self._seen:
            return
        with self._lock:
            try:
                self._loaded = self._load(bundles.read(self._folder, current)) if current else _Loaded(None, {}, {})
                self._trouble = None
            except BundleError as error:
                # the one before, if there was any, still fits this profile
                self._trouble = str(error)
            self._seen = current

    def _load(self, bundle: Bundle) -> _Loaded:
        bundle.require(self._index)
        models: dict[str, _Model] = {}
        reads: dict[str, tuple[str, ...]] = {}
        for name, model in bundle.models.items():
            asks = [at for at, action in enumerate(self._catalog.actions) if action.response.model == name]
            if isinstance(model.answer, Timing):
                models[name] = _Model(model, {}, _habits(model, self._index), None, Prepared.of(model.answer))
                continue
            per_offer = model.answer.about == "offer"
            if per_offer and not asks:
                continue
            offers = [
                Offer(topics=self._catalog.actions[at].topics, features=self._catalog.actions[at].response.features)
                for at in asks
            ]
            encoded = encode_actions(model.row, self._catalog.topics, offers) if per_offer else None
            predictors = {forest: LightGBMPredictor(text) for forest, text in model.forests.items()}
            models[name] = _Model(model, predictors, np.array(asks, dtype=np.intp), encoded)
            for at in asks:
                topics = self._catalog.actions[at].topics[:1]
                reads[self._catalog.actions[at].name] = model.row.needs(topics)
        return _Loaded(bundle.hash, models, reads)


def _habits(model: BundledModel, index: FeatureIndex) -> NDArray[np.intp]:
    assert isinstance(model.answer, Timing)
    learned = set(model.row.needs(()))
    names = habits_of(model.answer.channel)
    return np.array([index.positions[name] if name in learned else -1 for name in names], dtype=np.intp)
