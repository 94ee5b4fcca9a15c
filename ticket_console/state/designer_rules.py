"""Trigger rules: their list, the one being written, and the bench on which they are tried."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from ticket_console.access import places
from ticket_console.forms import reads as form_reads
from ticket_console.intake import rule_bench, rule_book
from ticket_console.intake.channels import CHANNELS
from ticket_console.intake.rule_bench import Bench
from ticket_console.intake.trigger_rules import InvalidRule, TriggerRuleView, parse_content
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import off_loop, reading
from ticket_console.kernel.errors import InvalidInput
from ticket_console.state.feedback import done
from ticket_console.state.rule_words import (
    fact_text,
    levels,
    message_fields,
    options,
    spoken,
    verdict_rows,
)
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.steps import both

Plain = dict[str, Any]

_NEW: Plain = {
    "code": "", "zh": "", "en": "", "when": {}, "template": "", "urgency": "", "impact": "",
    "also": False, "version": 0,
}  # fmt: skip


class DesignerRulesState(SessionState):
    status: str = "loading"
    rows: list[Plain] = []
    choices: dict[str, list[Plain]] = {
        "fields": [],
        "templates": [],
        "urgency": [],
        "impact": [],
        "channels": [],
    }
    editing: bool = False
    draft: Plain = dict(_NEW)
    problems: list[Plain] = []
    versions: list[Plain] = []
    bench: Plain = {}
    channel: str = "wechat"

    @handler(permission="rules.manage")
    async def load(self) -> Reply:
        try:
            self.rows, self.choices = await off_loop(_overview, viewer=self._actor())
        except Exception:
            self.status = "failed"
            raise
        self.status = "ready"
        return None

    @handler(permission="rules.manage")
    async def edit(self, code: str) -> Reply:
        """Open a rule to be written; an empty code is a new one."""
        found = next((row for row in self.rows if row["code"] == code), None)
        self.draft = dict(_NEW) if found is None else dict(found["draft"])
        if found is None and self.choices["templates"]:
            self.draft["template"] = self.choices["templates"][0]["value"]
        self.versions = [] if found is None else await off_loop(_versions, viewer=self._actor(), code=code)
        self.problems, self.editing = [], True
        return None

    @handler(permission="rules.manage")
    async def close(self) -> Reply:
        self.editing, self.problems = False, []
        return None

    @handler(permission="rules.manage")
    async def write(self, key: str, value: str) -> Reply:
        if key in _NEW and key not in ("when", "version", "also"):
            self.draft = {**self.draft, key: value[:200]}
        return None

    @handler(permission="rules.manage")
    async def set_also(self, also: bool) -> Reply:
        self.draft = {**self.draft, "also": also}
        return None

    @handler(permission="rules.manage")
    async def set_when(self, tree: Plain | None) -> Reply:
        self.draft, self.problems = {**self.draft, "when": tree or {}}, []
        return None

    @handler(permission="rules.manage")
    async def publish(self) -> Reply:
        try:
            view = await off_loop(
                rule_book.publish_rule,
                actor=self._actor(),
                at=self._now(),
                command_id=str(uuid4()),
                code=self.draft["code"].strip(),
                content=_content(self.draft),
                expected_version=self.draft["version"] or None,
            )
        except InvalidInput as refused:
            self.problems = [
                {"path": each.path, "code": each.code, "params": dict(each.params)}
                for each in refused.problems
            ]
            return None
        self.editing, self.problems = False, []
        await self._again()
        return done("rules.published", code=view.code, number=view.number)

    @handler(permission="rules.manage")
    async def move(self, code: str, by: int) -> Reply:
        codes = [row["code"] for row in self.rows]
        here = codes.index(code) if code in codes else -1
        there = here + (1 if by > 0 else -1)
        if here < 0 or not 0 <= there < len(codes):
            return None
        codes[here], codes[there] = codes[there], codes[here]
        await off_loop(
            rule_book.reorder, actor=self._actor(), at=self._now(), command_id=str(uuid4()), codes=codes
        )
        await self._again()
        return None

    @handler(permission="rules.manage")
    async def switch(self, code: str) -> Reply:
        """Put a rule to work, or to rest."""
        row = next((row for row in self.rows if row["code"] == code), None)
        if row is None:
            return None
        await off_loop(
            rule_book.set_active,
            actor=self._actor(),
            at=self._now(),
            command_id=str(uuid4()),
            code=code,
            active=not row["active"],
            expected_version=row["draft"]["version"],
        )
        await self._again()
        return None

    @handler(permission="rules.manage")
    async def set_channel(self, channel: str) -> Reply:
        self.channel = channel if channel in CHANNELS else self.channel
        return None

    @handler(permission="rules.manage")
    async def try_out(self, form: Plain) -> Reply:
        """Try the rules, with the one being written in place of the published one."""
        self.bench = await off_loop(
            _tried,
            viewer=self._actor(),
            text=str(form.get("text") or ""),
            raw=str(form.get("raw") or "").strip(),
            channel=self.channel,
            draft=dict(self.draft) if self.editing else None,
            fields=list(self.choices["fields"]),
        )
        return None

    async def _again(self) -> None:
        self.rows, self.choices = await off_loop(_overview, viewer=self._actor())


def _overview(*, viewer: Actor) -> tuple[list[Plain], dict[str, list[Plain]]]:
    with reading() as connection:
        rules = rule_book.trigger_rules(connection, viewer.org_id)
        templates = form_reads.published_templates(connection, viewer.org_id)
        fields = message_fields(connection, viewer.org_id)
        zone = places.org(connection, viewer.org_id).tz
    names = {each.code: dict(each.name) for each in templates}
    choices = {
        "fields": fields,
        "templates": options(names.items()),
        "urgency": [{"value": "", "label": both("rules.as_said")}, *levels("rules.urgency.")],
        "impact": [{"value": "", "label": both("rules.as_said")}, *levels("rules.impact.")],
        "channels": options((source, both(f"intake.source.{source}")) for source in sorted(CHANNELS)),
    }
    return [_row(rule, names, fields, zone) for rule in rules], choices


def _row(rule: TriggerRuleView, names: Mapping[str, Plain], fields: Sequence[Plain], zone: str) -> Plain:
    content = rule.content
    return {
        "code": rule.code,
        "name": dict(content.name),
        "said": spoken(content.when, fields, zone),
        "template": names.get(content.template, content.template),
        "urgency": str(content.urgency or ""),
        "impact": str(content.impact or ""),
        "also": content.also,
        "active": rule.is_active,
        "number": rule.number,
        "draft": {
            "code": rule.code,
            "zh": content.name.get("zh", ""),
            "en": content.name.get("en", ""),
            "when": dict(content.when),
            "template": content.template,
            "urgency": str(content.urgency or ""),
            "impact": str(content.impact or ""),
            "also": content.also,
            "version": rule.version,
        },
    }


def _content(draft: Mapping[str, Any]) -> Plain:
    level = {key: int(draft[key]) if draft[key] in ("1", "2", "3") else None for key in ("urgency", "impact")}
    name = {"zh": draft["zh"], "en": draft["en"]}
    return {
        "name": name,
        "when": draft["when"] or None,
        "template": draft["template"],
        "also": draft["also"],
        **level,
    }


def _versions(*, viewer: Actor, code: str) -> list[Plain]:
    with reading() as connection:
        fields = message_fields(connection, viewer.org_id)
        zone = places.org(connection, viewer.org_id).tz
        kept = rule_book.versions_of(connection, viewer, code)
    return [
        {
            "number": each.number,
            "said": spoken(each.content.when, fields, zone),
            "at": instant_text(each.published_at),
            "by": each.published_by,
        }
        for each in kept
    ]


def _tried(
    *, viewer: Actor, text: str, raw: str, channel: str, draft: Plain | None, fields: Sequence[Plain]
) -> Plain:
    with reading() as connection:
        rules = _with_draft(rule_book.trigger_rules(connection, viewer.org_id), draft)
        if raw.isdecimal() and len(raw) <= 18:
            found = rule_bench.judge_raw(connection, viewer=viewer, raw_id=int(raw), rules=rules)
        else:
            found = rule_bench.judge_text(connection, viewer=viewer, text=text, channel=channel, rules=rules)
        names = {
            each.code: dict(each.name) for each in form_reads.published_templates(connection, viewer.org_id)
        }
        zone = places.org(connection, viewer.org_id).tz
    return _bench_view(found, rules, names, fields, zone)


def _with_draft(rules: Sequence[TriggerRuleView], draft: Plain | None) -> list[TriggerRuleView]:
    if draft is None:
        return list(rules)
    try:
        content = parse_content(_content(draft))
    except InvalidRule:
        return list(rules)
    tried = [replace(rule, content=content) if rule.code == draft["code"] else rule for rule in rules]
    if any(rule.code == draft["code"] for rule in rules):
        return tried
    return [*tried, TriggerRuleView(0, draft["code"], len(rules) + 1, True, 0, 0, 0, content)]


def _bench_view(
    found: Bench,
    rules: Sequence[TriggerRuleView],
    names: Mapping[str, Plain],
    fields: Sequence[Plain],
    zone: str,
) -> Plain:
    by_code = {rule.code: rule for rule in rules}
    return {
        "text": found.text,
        "template": names.get(found.template, found.template),
        "keyword": found.keyword or "",
        "named": found.named,
        "by_rule": not found.named and any(each.outcome == "decides" for each in found.rules),
        "facts": [
            {"label": field["label"], "value": fact_text(found.facts.get(field["name"]))}
            for field in fields
            if found.facts.get(field["name"]) not in (None, "", False)
        ],
        "rules": [
            {
                "code": each.code,
                "name": dict(by_code[each.code].content.name),
                "outcome": each.outcome,
                "parts": verdict_rows(each.parts, fields, zone),
            }
            for each in found.rules
        ],
    }
