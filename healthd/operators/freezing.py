"""The table frozen by an operator: shown by the controller, kept by the reconciler, ended when its time is over."""

from __future__ import annotations

from dataclasses import replace

from healthd.clock import Clock
from healthd.controller import Controller
from healthd.events import Bus, Frozen, Thawed
from healthd.operators.acting import ITSELF, left_of
from healthd.operators.orders import Done, Order
from healthd.operators.terms import Terms
from healthd.overrides import Freeze
from healthd.reconcile import Reconciler


class Freezer:
    def __init__(self, clock: Clock, bus: Bus, controller: Controller, reconciler: Reconciler) -> None:
        self._clock = clock
        self._bus = bus
        self._controller = controller
        self._reconciler = reconciler
        self._term: Terms[None] = Terms(clock, lambda _: self._over())

    def freeze(self, order: Order, seconds: float | None) -> Done:
        now = self._clock.wall()
        until = None if seconds is None else now + seconds
        self._hold(Freeze(since=now, until=until, who=order.who, reason=order.reason), seconds)
        return self._told(Frozen(at=now, who=order.who, reason=order.reason, until=until))

    def thaw(self, order: Order) -> Done:
        if self._controller.frozen is None:
            return Done(("the table is not frozen",))
        pending = tuple(map(str, self._reconciler.pending))
        self._controller.frozen = None
        self._term.set(None, None)
        self._reconciler.thaw()
        return self._told(Thawed(at=self._clock.wall(), who=order.who, reason=order.reason), pending)

    def restore(self, freeze: Freeze) -> None:
        """Goes on with one of an earlier run; its time may be over."""
        left = left_of(freeze, self._clock.wall())
        if left != 0:
            self._hold(freeze, left)

    @property
    def kept(self) -> Freeze | None:
        """As it has to be remembered: `until` as the clock on the wall has it now."""
        freeze, left = self._controller.frozen, self._term.left(None)
        return replace(freeze, until=self._clock.wall() + left) if freeze and left is not None else freeze

    def _hold(self, freeze: Freeze, seconds: float | None) -> None:
        self._controller.frozen = freeze
        self._term.set(None, seconds)
        self._reconciler.freeze()

    def _over(self) -> None:
        self.thaw(replace(ITSELF, reason="its time is over"))

    def _told(self, event: Frozen | Thawed, edits: tuple[str, ...] = ()) -> Done:
        self._bus.publish(event)
        return Done((event.text(),), edits=edits)
