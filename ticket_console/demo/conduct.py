"""What the people of the demo do about a step, each under their own name and through the desk's commands."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Any, Final

from ticket_console.demo.answers import answer
from ticket_console.demo.cast import Cast
from ticket_console.demo.pictures import KINDS, picture
from ticket_console.demo.requests import scene_of
from ticket_console.demo.standing import Step
from ticket_console.desk import assigning, customer, moving, talking
from ticket_console.desk.signing import SignatureInput
from ticket_console.flows.elements import Act, HandlerMode, NodeKind
from ticket_console.kernel.actor import Actor, Role
from ticket_console.kernel.settings import settings
from ticket_console.tickets.tables import OwnerKind, Visibility
from ticket_console.tickets.tracking import tracking_token

_DECLINED: Final = ("当前任务已满，无法按时上门", "不具备该机型维修资质", "客户改约，请重新安排")
_GIVEN_BACK: Final = ("现场需要更换专用设备，请改派", "故障超出本人技能范围", "缺少配件，需二次上门")
_REFUSED: Final = ("故障仍未解决", "现场没有清理干净", "试机时又出现异响")
_SENT_BACK: Final = ("请补充现场照片与测量数据", "方案缺少责任认定")
_CANCELLED: Final = ("客户取消需求", "客户自行解决", "重复报修")
_REMARKS: Final = ("客户希望下午上门", "已电话联系，客户在家", "需要自带梯子", "停车请走北门")
_NOBODY_ELSE: Final = "区域内暂无空闲工程师，临时调派"
_OFFICE_ROLES: Final = {"agent": Role.AGENT, "dispatcher": Role.DISPATCHER, "manager": Role.MANAGER}


def do_step(cast: Cast, step: Step, chance: Random, *, at: datetime, command_id: str) -> bool:
    """Have whoever the step belongs to do it, well or badly as the dice say; false where nobody can.

    Raises a `ConsoleError` where the desk refuses, and `NoAnswer` where the step asks for something
    that nobody in the demo knows.
    """
    doing = _Doing(cast, step, chance, at, command_id)
    if step.owner_kind is OwnerKind.TECHNICIAN:
        return doing.as_technician()
    if step.owner_kind is OwnerKind.CUSTOMER:
        return doing.as_customer()
    if step.owner_kind is OwnerKind.QUEUE:
        return doing.in_the_office()
    return False


class _Doing:
    """One step being done by somebody."""

    def __init__(self, cast: Cast, step: Step, chance: Random, at: datetime, command_id: str) -> None:
        self.cast = cast
        self.step = step
        self.chance = chance
        self.at = at
        self.command_id = command_id
        self.scene = scene_of(step.title, step.template)

    def as_technician(self) -> bool:
        actor = self.cast.technicians.get(self.step.owner_id or 0)
        if actor is None:
            return False
        is_on_the_job = "photo" in self.step.node.evidence
        if self.chance.random() < 0.04:
            reason = self.chance.choice(_GIVEN_BACK if is_on_the_job else _DECLINED)
            self._go_back(moving.send_back, actor, reason)
            return True
        if self.chance.random() < 0.12:
            self._remark(actor)
        self._finish(actor)
        return True

    def as_customer(self) -> bool:
        link = tracking_token(secret=settings().secret_key, ticket_id=self.step.ticket_id)
        if self.chance.random() < 0.06:
            customer.refuse(
                token=link, at=self.at, command_id=self.command_id, reason=self.chance.choice(_REFUSED)
            )
        else:
            customer.accept(
                token=link,
                at=self.at,
                command_id=self.command_id,
                signer_name=self.step.contact_name or "客户",
                strokes=_strokes(self.chance),
            )
        return True

    def in_the_office(self) -> bool:
        node, dispatcher = self.step.node, self.cast.office[Role.DISPATCHER]
        if node.handler is not None and node.handler.mode is HandlerMode.TECHNICIAN:
            return self._find_somebody(dispatcher)
        actor = self.cast.office.get(_OFFICE_ROLES.get(self.step.queue_role or "", Role.MANAGER))
        if actor is None:
            return False
        if self.chance.random() < 0.02:
            # Who asked for the visit usually calls it off; a step may keep that from the service agents.
            role = Role.MANAGER if node.denies({Role.AGENT}, Act.CANCEL) else Role.AGENT
            moving.cancel(**self._command(self.cast.office[role]), reason=self.chance.choice(_CANCELLED))
        elif node.kind is NodeKind.APPROVAL and self.chance.random() < 0.08:
            self._go_back(moving.reject, actor, self.chance.choice(_SENT_BACK))
        else:
            self._finish(actor)
        return True

    def _find_somebody(self, dispatcher: Actor) -> bool:
        """Look again, and every so often send somebody who is not quite the right one."""
        found = assigning.dispatch_again(
            at=self.at,
            org_id=self.cast.org_id,
            ticket_id=self.step.ticket_id,
            command_id=f"{self.command_id}:again",
        )
        if found or self.chance.random() > 0.35 or self.step.region_id is None:
            return found
        assigning.assign(
            **self._command(dispatcher),
            technician_id=self.chance.choice(sorted(self.cast.technicians)),
            reason=_NOBODY_ELSE,
            override=True,
        )
        return True

    def _command(self, actor: Actor) -> dict[str, Any]:
        return {
            "actor": actor,
            "at": self.at,
            "command_id": self.command_id,
            "ticket_id": self.step.ticket_id,
            "expected_version": self.step.version,
        }

    def _go_back(self, command: Callable[..., Any], actor: Actor, reason: str) -> None:
        command(**self._command(actor), token_id=self.step.token_id, reason=reason)

    def _remark(self, actor: Actor) -> None:
        """Say something first; the ticket is then one version further on."""
        said = talking.comment(
            actor=actor,
            at=self.at,
            command_id=f"{self.command_id}:remark",
            ticket_id=self.step.ticket_id,
            text=self.chance.choice(_REMARKS),
            visibility=self.chance.choice((Visibility.INTERNAL, Visibility.CUSTOMER)),
        )
        self._seen(said.version)

    def _finish(self, actor: Actor) -> None:
        node = self.step.node
        if "photo" in node.evidence:
            taken = talking.attach(
                actor=actor,
                at=self.at,
                command_id=f"{self.command_id}:photo",
                ticket_id=self.step.ticket_id,
                filename=f"site-{self.step.token_id}.jpg",
                content=picture(self.chance.randrange(KINDS)),
                visibility=Visibility.CUSTOMER,
                token_id=self.step.token_id,
            )
            self._seen(taken.version)
        signature = None
        if "signature" in node.evidence:
            signature = SignatureInput(actor.display, _strokes(self.chance))
        moving.act(
            **self._command(actor),
            token_id=self.step.token_id,
            values=self._entries(),
            signature=signature,
        )

    def _seen(self, version: int) -> None:
        self.step = replace(self.step, version=version)

    def _entries(self) -> dict[str, Any]:
        entries = {}
        for use in self.step.node.fields:
            spec = self.step.definition.field_by_key.get(use.key)
            if spec is None or self.step.values.get(use.key) not in (None, ""):
                continue
            value = answer(spec, self.scene, required=use.required, chance=self.chance, at=self.at)
            if value not in (None, ""):
                entries[use.key] = value
        return entries


def _strokes(chance: Random) -> str:
    """A signature as a hand might draw it."""
    x, y = 12, 40
    path = [f"M{x},{y}"]
    for _ in range(14):
        x, y = x + chance.randint(6, 14), max(8, min(72, y + chance.randint(-26, 26)))
        path.append(f"L{x},{y}")
    return " ".join(path)
