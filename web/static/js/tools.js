// Tools that take the clicks of a map: while one is on, the others are off.
let stopOther = null;

/** Begin a tool: whichever is on ends first. `stop` ends this one. */
export function onlyTool(stop) {
  if (stopOther && stopOther !== stop) stopOther();
  stopOther = stop;
}
