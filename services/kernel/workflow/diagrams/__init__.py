"""Diagrams: declared steps to a graph, a graph to BPMN that an editor can draw, BPMN back, and what is wrong with one."""
