"""Flows as BPMN 2.0: written for other tools with nothing lost, and read from them with everything reported."""
