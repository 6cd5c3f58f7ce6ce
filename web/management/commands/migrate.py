"""``./run manage migrate``: Django's own, without making every class of the project anew for every table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.commands import migrate
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ModelState, ProjectState


class FrugalState(ProjectState):
    """A project state that renders a changed model alone where Django renders every model connected with it.

    With accounts and regions in the middle everything is connected: a hundred tables cost a hundred times a hundred classes.
    No other class needs to be made anew for a new model, nor for one more field or index of a model, except for who follows
    relations towards it: the code of migrations and alterations of keys. For both everything is rendered from the start.
    """

    def __init__(
        self, models: dict[tuple[str, str], ModelState] | None = None, real_apps: set[str] | None = None
    ) -> None:
        super().__init__(models, real_apps)
        self._alone = False

    def add_model(self, model_state: ModelState) -> None:
        with self._rendering_alone():
            super().add_model(model_state)

    def add_field(self, *args: Any, **kwargs: Any) -> None:
        with self._rendering_alone():
            super().add_field(*args, **kwargs)

    def reload_model(self, app_label: str, model_name: str, delay: bool = False) -> None:
        if not (delay or self._alone):
            self.clear_delayed_apps_cache()
        super().reload_model(app_label, model_name, delay)

    def reload_models(self, models: Any, delay: bool = True) -> None:
        if not delay:
            self.clear_delayed_apps_cache()
        super().reload_models(models, delay)

    def clone(self) -> FrugalState:
        twin = FrugalState({key: model.clone() for key, model in self.models.items()}, self.real_apps)
        if "apps" in self.__dict__:
            twin.apps = self.apps.clone()
        twin.is_delayed = self.is_delayed
        return twin

    def _find_reload_model(self, app_label: str, model_name: str, delay: bool = False) -> set[tuple[str, str]]:
        if delay or self._alone:
            self.is_delayed = True
            return {(app_label, model_name)}
        found: set[tuple[str, str]] = super()._find_reload_model(app_label, model_name, delay)  # type: ignore[misc]
        return found

    @contextmanager
    def _rendering_alone(self) -> Iterator[None]:
        self._alone = True
        try:
            yield
        finally:
            self._alone = False


class FrugalExecutor(MigrationExecutor):
    """Runs migrations from a frugal state."""

    def _create_project_state(self, with_applied_migrations: bool = False) -> ProjectState:
        whole = super()._create_project_state(with_applied_migrations)  # type: ignore[misc]
        return FrugalState(whole.models, whole.real_apps)


class Command(migrate.Command):
    """Django's command; tests hold that the statements are the same."""

    def handle(self, *args: Any, **options: Any) -> Any:
        """Run as Django does, with the frugal executor."""
        migrate.MigrationExecutor = FrugalExecutor  # type: ignore[attr-defined]
        return super().handle(*args, **options)
