// Drawing the flow of a matter: only what the engine runs can be put on the canvas, and the server says at every change what is
// wrong. What is drawn and not yet kept stays on this computer.
import {Modeler, getBusinessObject, is} from '../vendor/bpmn.mjs';
import {drawPanel} from './flow-panel.js';
import {CHINESE, FlowContextPad, FlowPalette, KINDS, NoReplace, QUANTU} from './flow-tools.js';

const CHECK_AFTER = 600;
const SMALLEST = 0.75;
const known = JSON.parse(document.getElementById('known').textContent);
const token = document.querySelector('#token [name="csrfmiddlewaretoken"]').value;
const stateLine = document.getElementById('state');
const drawer = `quantu-flow:${known.begun}`;

const modeler = new Modeler({
  container: '#canvas',
  moddleExtensions: {quantu: QUANTU},
  additionalModules: [{
    paletteProvider: ['type', FlowPalette],
    contextPadProvider: ['type', FlowContextPad],
    replaceMenuProvider: ['type', NoReplace],
    translate: ['value', (text, words) => (CHINESE[text] || text).replace(/{([^}]+)}/g, (_, name) => (words || {})[name] ?? `{${name}}`)],
  }],
});
const part = (name) => modeler.get(name);
let waiting = 0;
let marked = [];

function post(address, fields) {
  const body = new FormData();
  body.append('csrfmiddlewaretoken', token);
  body.append('region', known.region);
  Object.entries(fields).forEach(([name, value]) => body.append(name, value));
  return fetch(address, {method: 'POST', body, headers: {Accept: 'application/json'}});
}

async function xml() {
  return (await modeler.saveXML({format: true})).xml;
}

/** All elements people know of, in the order of the flow from left to right. */
function elements() {
  return part('elementRegistry').getAll()
    .filter((each) => KINDS.some(([type]) => is(each, type)) && each.type !== 'label')
    .sort((one, other) => (one.x || 0) - (other.x || 0) || (one.y || 0) - (other.y || 0));
}

function nameOf(element) {
  const own = getBusinessObject(element);
  const kind = KINDS.find(([type]) => is(element, type));
  const said = kind ? kind[1] : '线';
  if (is(element, 'bpmn:UserTask')) return own.name || `${said} ${own.id}`;
  return own.name ? `${own.name}（${said}）` : `${said} ${own.id}`;
}

function choose(id) {
  const element = part('elementRegistry').get(id);
  if (!element) return;
  part('selection').select(element);
  part('canvas').scrollToElement(element, 80);
}

function listElements() {
  const list = document.getElementById('elements');
  const chosen = part('selection').get()[0];
  list.replaceChildren(...elements().map((element) => {
    const item = document.createElement('li');
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'button quiet';
    button.textContent = nameOf(element);
    if (chosen === element) button.setAttribute('aria-current', 'true');
    button.addEventListener('click', () => choose(element.id));
    item.append(button);
    return item;
  }));
}

function showFindings(findings) {
  const canvas = part('canvas');
  marked.forEach((id) => part('elementRegistry').get(id) && canvas.removeMarker(id, 'fault'));
  marked = findings.map((each) => each.element).filter((id) => id && part('elementRegistry').get(id));
  marked.forEach((id) => canvas.addMarker(id, 'fault'));
  const box = document.getElementById('findings');
  box.hidden = !findings.length;
  box.querySelector('ul').replaceChildren(...findings.map((each) => {
    const item = document.createElement('li');
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'finding';
    button.textContent = each.message;
    button.addEventListener('click', () => choose(each.element));
    item.append(button);
    return item;
  }));
  stateLine.textContent = findings.length ? `还有 ${findings.length} 处要改` : '检查过了，可以存为草稿';
  stateLine.classList.toggle('good', !findings.length);
}

async function check() {
  const asked = ++waiting;
  try {
    const answer = await post(known.check, {xml: await xml()});
    if (asked !== waiting) return;
    if (!answer.ok) throw new Error(String(answer.status));
    showFindings((await answer.json()).findings);
  } catch (fault) {
    if (asked === waiting) stateLine.textContent = '暂时连不上，没能检查。图还在，请稍后再试。';
  }
}

let timer = 0;
function changed() {
  listElements();
  stateLine.textContent = '正在检查…';
  clearTimeout(timer);
  timer = setTimeout(async () => {
    localStorage.setItem(drawer, await xml());
    check();
  }, CHECK_AFTER);
}

async function keep() {
  const button = document.getElementById('keep');
  button.disabled = true;
  try {
    const fields = {xml: await xml(), seen: known.seen, note: document.getElementById('note').value};
    const answer = await post(known.keep, fields);
    const told = await answer.json();
    if (answer.ok) {
      localStorage.removeItem(drawer);
      clearTimeout(timer);
      window.location.assign(told.page);
      return;
    }
    showFindings(told.findings || []);
    stateLine.textContent = told.message;
  } catch (fault) {
    stateLine.textContent = '暂时连不上，没有保存。图还在这台电脑上，请稍后再试。';
  }
  button.disabled = false;
}

function showPanel() {
  const [element, another] = part('selection').get();
  drawPanel(document.getElementById('panel'), another ? null : element, {modeler, known, elements: elements(), nameOf, choose});
}

/** Show a flow from its beginning on, never so small that it cannot be read. */
function show() {
  const canvas = part('canvas');
  canvas.zoom('fit-viewport', 'auto');
  if (canvas.zoom() >= SMALLEST) return;
  const {inner, outer} = canvas.viewbox();
  canvas.viewbox({x: inner.x - 120, y: inner.y + inner.height / 2 - outer.height / (2 * SMALLEST), width: outer.width / SMALLEST, height: outer.height / SMALLEST});
}

async function open(text) {
  await modeler.importXML(text);
  show();
  listElements();
  showPanel();
  check();
}

const tools = {
  undo: () => part('commandStack').undo(),
  redo: () => part('commandStack').redo(),
  fit: () => part('canvas').zoom('fit-viewport', 'auto'),
};

document.getElementById('editor').hidden = false;
document.querySelector('.flow-tools').addEventListener('click', (event) => {
  const button = event.target.closest('[data-tool]');
  if (button) tools[button.dataset.tool]();
});
document.getElementById('keep').addEventListener('click', keep);
modeler.on('commandStack.changed', changed);
modeler.on('selection.changed', () => { listElements(); showPanel(); });
modeler.on('commandStack.changed', showPanel);

const leftOver = localStorage.getItem(drawer);
if (leftOver && leftOver !== known.xml) {
  const notice = document.getElementById('left-over');
  notice.hidden = false;
  document.getElementById('go-on').addEventListener('click', () => { notice.hidden = true; open(leftOver); });
  document.getElementById('let-go').addEventListener('click', () => { notice.hidden = true; localStorage.removeItem(drawer); });
}
open(known.xml).then(() => document.getElementById('editor').setAttribute('data-ready', 'true'));
