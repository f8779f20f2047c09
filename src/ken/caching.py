"""The part of the composition root that makes the answer cache, of settings and of where a home keeps its answers."""

from __future__ import annotations

from ken.cache_settings import categories_of
from ken.domain.cached import Category
from ken.gateway.cache.figures import Figures
from ken.gateway.cache.semantic import SemanticCache
from ken.gateway.cache.shelf import RedisShelf
from ken.settings import Settings
from ken.storage.answers import CachedAnswers
from ken.storage.cache_figures import CacheFigures
from ken.storage.database import Database


def categories(settings: Settings) -> tuple[Category, ...]:
    """The categories of questions, the more particular first."""
    return categories_of(settings.answer_cache, settings.categories)


def open_cache(settings: Settings, database: Database) -> SemanticCache:
    """The cache over what a database keeps; the answers themselves in Redis, where one is named. Raises InvalidSetting, StorageError.

    It is there where the setting `cache` is off, too: what was kept before is still looked at, and still retired.
    """
    answers = CachedAnswers(database)
    url = settings.redis_url
    return SemanticCache(
        answers=answers,
        figures=Figures(CacheFigures(database)),
        categories={category.name: category for category in categories(settings)},
        bounds=settings.answer_cache.bounds,
        shelf=None if url is None else RedisShelf.at(url.get_secret_value(), home=answers.home_name()),
    )
