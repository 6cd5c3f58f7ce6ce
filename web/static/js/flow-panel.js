// The facts of the element that is chosen in the editor of flows, as a form; every change can be undone.
import {getBusinessObject, is} from '../vendor/bpmn.mjs';
import {KINDS, newElement} from './flow-tools.js';

let serial = 0;

function node(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function row(label, control, help) {
  serial += 1;
  control.id = `flow-fact-${serial}`;
  const line = node('div', {className: 'form-row'}, node('label', {htmlFor: control.id, textContent: label}), control);
  if (help) line.append(node('p', {className: 'form-help', textContent: help}));
  return line;
}

function input(value, save, properties) {
  const control = node('input', {className: 'input', value, ...properties});
  control.addEventListener('change', () => save(control.value.trim()));
  return control;
}

function select(options, value, save, empty) {
  const control = node('select', {className: 'select'});
  if (empty !== undefined) control.append(new Option(empty, ''));
  Object.entries(options).forEach(([key, label]) => control.append(new Option(label, key)));
  control.value = value;
  control.addEventListener('change', () => save(control.value));
  return control;
}

function ticks(title, options, chosen, save) {
  const boxes = node('div', {className: 'chips'});
  Object.entries(options).forEach(([key, label]) => {
    const box = node('input', {type: 'checkbox', value: key, checked: chosen.includes(key)});
    box.addEventListener('change', () => save([...boxes.querySelectorAll('input:checked')].map((each) => each.value)));
    boxes.append(node('label', {className: 'chip tick'}, box, node('span', {textContent: label})));
  });
  return node('fieldset', {}, node('legend', {className: 'form-help', textContent: title}), boxes);
}

function button(text, act) {
  const made = node('button', {type: 'button', className: 'button', textContent: text});
  made.addEventListener('click', act);
  return made;
}

/** Fill a box with the facts of an element; `page` brings the modeller, what is known, and the elements there are. */
export function drawPanel(box, element, page) {
  if (!element || element.type === 'label') {
    box.replaceChildren(node('p', {className: 'second', textContent: '在图上点一个元素，或从下面的列表里选，就能在这里改它。从左边的工具栏拖元素到图上。'}));
    return;
  }
  const modeling = page.modeler.get('modeling');
  const own = getBusinessObject(element);
  const save = (facts) => modeling.updateProperties(element, facts);
  const parts = [];
  if (is(element, 'bpmn:SequenceFlow')) parts.push(...arrow(element, own, save, page));
  else {
    parts.push(row('名称', input(own.name || '', (name) => save({name}), {maxLength: 60})));
    if (is(element, 'bpmn:UserTask')) parts.push(...step(element, own, save, page));
    if (is(element, 'bpmn:EndEvent')) parts.push(row('结果', select(page.known.results, own.get('quantu:result') || 'approved', (value) => save({'quantu:result': value}))));
    parts.push(...ways(element, page));
  }
  parts.push(node('div', {className: 'buttons'}, button('删除', () => modeling.removeElements([element]))));
  box.replaceChildren(...parts);
}

function step(element, own, save, {known, modeler}) {
  const fact = (name) => own.get(`quantu:${name}`) || '';
  const keep = (name) => (value) => save({[`quantu:${name}`]: Array.isArray(value) ? value.join(' ') : value});
  const days = {inputMode: 'numeric', maxLength: 3};
  return [
    row('编号', input(own.id, (id) => /^[A-Za-z][A-Za-z0-9_]{0,59}$/.test(id) && !modeler.get('elementRegistry').get(id) && save({id}), {maxLength: 60}), '字母开头，条件里用它称呼这个环节的结果。'),
    row('哪一级办', select(known.levels, fact('level') || 'street', keep('level'))),
    row('由谁办', select(known.duties, fact('duty'), keep('duty'), '请选择')),
    row('办理方式', select(known.modes, fact('mode') || 'one', keep('mode'))),
    row('派单方式', select(known.dispatches, fact('dispatch') || 'grab', keep('dispatch'))),
    row('办理时限（工作日）', input(fact('days') || '0', keep('days'), days), '0 是不限时。'),
    row('提前几个工作日提醒', input(fact('remind') || '1', keep('remind'), days)),
    outcomes(element, own, known, modeler),
    ticks('办理时看到什么', known.screens, (own.get('quantu:screens') ?? Object.keys(known.screens).filter((key) => key !== 'map').join(' ')).split(' '), keep('screens')),
    ticks('发哪些通知', known.notices, (own.get('quantu:notices') ?? Object.keys(known.notices).join(' ')).split(' '), keep('notices')),
  ];
}

function outcomesOf(own) {
  return ((own.extensionElements || {}).values || []).filter((each) => each.$type === 'quantu:Outcome');
}

function outcomes(element, own, known, modeler) {
  const moddle = modeler.get('moddle');
  const rows = outcomesOf(own).map(({key, label, opinion}) => ({key, label, opinion}));
  const save = () => {
    const extensionElements = moddle.create('bpmn:ExtensionElements', {values: rows.map((each) => moddle.create('quantu:Outcome', each))});
    extensionElements.values.forEach((each) => { each.$parent = extensionElements; });
    extensionElements.$parent = own;
    modeler.get('modeling').updateProperties(element, {extensionElements});
  };
  const list = node('fieldset', {className: 'flow-outcomes'}, node('legend', {className: 'form-help', textContent: '办理结果（第一个是“好”的结果）'}));
  rows.forEach((each, at) => {
    const must = node('input', {type: 'checkbox', checked: each.opinion === 'true'});
    must.addEventListener('change', () => { each.opinion = String(must.checked); save(); });
    const label = input(each.label, (value) => { each.label = value; save(); }, {maxLength: 20});
    label.setAttribute('aria-label', `第 ${at + 1} 个结果的名称`);
    list.append(node('div', {className: 'flow-outcome'}, label,
      node('label', {className: 'chip tick'}, must, node('span', {textContent: '要写意见'})),
      button('去掉', () => { rows.splice(at, 1); save(); })));
  });
  if (rows.length < known.mostOutcomes) {
    list.append(button('加一个结果', () => {
      let number = rows.length + 1;
      while (rows.some((each) => each.key === `outcome${number}`)) number += 1;
      rows.push({key: `outcome${number}`, label: `结果${number}`, opinion: 'false'});
      save();
    }));
  }
  return list;
}

/** A condition that people choose by clicking: a step and one of its outcomes. Anything else is typed. */
function arrow(element, own, save, {elements, known, modeler, nameOf}) {
  const source = element.source;
  const parts = [row('名称', input(own.name || '', (name) => save({name}), {maxLength: 60}))];
  if (!is(source, 'bpmn:ExclusiveGateway')) {
    parts.push(node('p', {className: 'second', textContent: '这条线没有条件。有几种去向时，在环节后面接一个“选择网关”。'}));
    return parts;
  }
  const modeling = modeler.get('modeling');
  const isDefault = getBusinessObject(source).default === own;
  const written = (own.conditionExpression || {}).body || '';
  const write = (body) => save({conditionExpression: body ? modeler.get('moddle').create('bpmn:FormalExpression', {body}) : undefined});
  const tick = node('input', {type: 'checkbox', checked: isDefault});
  tick.addEventListener('change', () => {
    if (tick.checked) write('');
    modeling.updateProperties(source, {default: tick.checked ? own : undefined});
  });
  parts.push(node('label', {className: 'option'}, tick, node('span', {textContent: '默认：别的条件都不符合时走这条'})));
  if (!isDefault) {
    const ready = {};
    elements.filter((each) => is(each, 'bpmn:UserTask')).forEach((each) => outcomesOf(getBusinessObject(each)).forEach(({key, label}) => {
      ready[`${each.id} == "${key}"`] = `${nameOf(each)}：${label}`;
    }));
    parts.push(row('什么情况走这条', select(ready, written in ready ? written : '', write, '自己写条件')));
    const facts = Object.entries(known.facts).map(([key, label]) => `${key}（${label}）`).join('、');
    parts.push(row('条件', input(written, write, {maxLength: 2000, spellcheck: false}), facts ? `可以用环节的编号，还有 ${facts}。例如 ${Object.keys(known.facts)[0]} > 100。` : '可以用环节的编号，例如 street == "approve"。'));
  }
  return parts;
}

/** Where an element leads, and adding to it without a mouse. */
function ways(element, {modeler, elements, nameOf, choose}) {
  if (is(element, 'bpmn:EndEvent')) return [];
  const parts = [];
  const leaving = node('ul', {className: 'plain'});
  (element.outgoing || []).forEach((each) => {
    const own = getBusinessObject(each);
    leaving.append(node('li', {}, button(`到 ${nameOf(each.target)}${own.name ? `（${own.name}）` : ''}`, () => choose(each.id))));
  });
  if (leaving.children.length) parts.push(node('p', {className: 'form-help', textContent: '从这里出去的线'}), leaving);
  const others = {};
  elements.filter((each) => each !== element && !is(each, 'bpmn:StartEvent')).forEach((each) => { others[each.id] = nameOf(each); });
  parts.push(row('再连到', select(others, '', (id) => id && modeler.get('modeling').connect(element, modeler.get('elementRegistry').get(id)), '选一个元素')));
  parts.push(row('在后面加', select(Object.fromEntries(KINDS.filter(([type]) => type !== 'bpmn:StartEvent').map(([type, name]) => [type, name])), '',
    (type) => type && choose(modeler.get('autoPlace').append(element, newElement(modeler, type)).id), '选一种')));
  return parts;
}
