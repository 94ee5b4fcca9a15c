"""Flows as BPMN 2.0: written with nothing lost, and read from other tools with a report."""
