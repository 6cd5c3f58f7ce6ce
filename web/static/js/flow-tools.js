// What can be put on the canvas of a flow: the elements that the engine runs, and no others.

/** The attributes of ours in a diagram. */
export const QUANTU = {
  name: 'Quantu',
  uri: 'urn:quantu:flow',
  prefix: 'quantu',
  xml: {tagAlias: 'lowerCase'},
  types: [
    {
      name: 'StepFacts',
      extends: ['bpmn:UserTask'],
      properties: ['duty', 'level', 'mode', 'days', 'remind', 'dispatch', 'screens', 'notices', 'sections', 'fills'].map((name) => ({name, isAttr: true, type: 'String'})),
    },
    {name: 'EndFacts', extends: ['bpmn:EndEvent'], properties: [{name: 'result', isAttr: true, type: 'String'}]},
    {name: 'Outcome', superClass: ['Element'], properties: ['key', 'label', 'opinion'].map((name) => ({name, isAttr: true, type: 'String'}))},
  ],
};

/** Type, Chinese name, and the sign of the library's font. */
export const KINDS = [
  ['bpmn:StartEvent', '开始', 'bpmn-icon-start-event-none'],
  ['bpmn:UserTask', '环节', 'bpmn-icon-user-task'],
  ['bpmn:ExclusiveGateway', '选择网关', 'bpmn-icon-gateway-xor'],
  ['bpmn:ParallelGateway', '并行网关', 'bpmn-icon-gateway-parallel'],
  ['bpmn:EndEvent', '结束', 'bpmn-icon-end-event-none'],
];

export const CHINESE = {
  'Activate hand tool': '移动画布',
  'Activate global connect tool': '连线',
  'Connect to other element': '连线',
  'Delete': '删除',
  'element required': '请先选一个元素',
  'no shape type specified': '没有选元素',
};

/** A new element of a type, with what every step and end needs to begin with. */
export function newElement(modeler, type) {
  const shape = modeler.get('elementFactory').createShape({type});
  const own = shape.businessObject;
  if (type === 'bpmn:UserTask') {
    const moddle = modeler.get('moddle');
    own.name = '新环节';
    Object.entries({level: 'street', mode: 'one', days: '5', remind: '1', dispatch: 'grab', notices: 'arrived decided due'})
      .forEach(([name, value]) => own.set(`quantu:${name}`, value));
    const values = [['approve', '通过', 'false'], ['refuse', '不通过', 'true']]
      .map(([key, label, opinion]) => moddle.create('quantu:Outcome', {key, label, opinion}));
    own.extensionElements = moddle.create('bpmn:ExtensionElements', {values});
    values.forEach((each) => { each.$parent = own.extensionElements; });
    own.extensionElements.$parent = own;
  } else if (type === 'bpmn:EndEvent') {
    own.name = '办结（通过）';
    own.set('quantu:result', 'approved');
  }
  return shape;
}

/** The bar at the left of the canvas. */
export class FlowPalette {
  constructor(palette, create, handTool, globalConnect, injector) {
    Object.assign(this, {create, handTool, globalConnect, injector});
    palette.registerProvider(this);
  }

  getPaletteEntries() {
    const modeler = {get: (name) => this.injector.get(name)};
    const entries = {
      hand: {group: 'tools', className: 'bpmn-icon-hand-tool', title: '移动画布', action: {click: (event) => this.handTool.activateHand(event)}},
      connect: {group: 'tools', className: 'bpmn-icon-connection-multi', title: '连线', action: {click: (event) => this.globalConnect.start(event)}},
      line: {group: 'tools', separator: true},
    };
    KINDS.forEach(([type, name, className]) => {
      const begin = (event) => this.create.start(event, newElement(modeler, type));
      entries[type] = {group: 'elements', className, title: `放一个${name}`, action: {dragstart: begin, click: begin}};
    });
    return entries;
  }
}
FlowPalette.$inject = ['palette', 'create', 'handTool', 'globalConnect', 'injector'];

/** The signs beside the element that is chosen. */
export class FlowContextPad {
  constructor(contextPad, connect, autoPlace, create, modeling, injector) {
    Object.assign(this, {connect, autoPlace, create, modeling, injector});
    contextPad.registerProvider(this);
  }

  getContextPadEntries(element) {
    const modeler = {get: (name) => this.injector.get(name)};
    const entries = {};
    if (element.type !== 'bpmn:EndEvent' && !element.waypoints && element.type !== 'label') {
      KINDS.filter(([type]) => type !== 'bpmn:StartEvent').forEach(([type, name, className]) => {
        entries[`append-${type}`] = {
          group: 'model', className, title: `在后面加${name}`,
          action: {
            click: () => this.autoPlace.append(element, newElement(modeler, type)),
            dragstart: (event) => this.create.start(event, newElement(modeler, type), {source: element}),
          },
        };
      });
      entries.connect = {
        group: 'connect', className: 'bpmn-icon-connection-multi', title: '连线',
        action: {click: (event) => this.connect.start(event, element), dragstart: (event) => this.connect.start(event, element)},
      };
    }
    entries.delete = {group: 'edit', className: 'bpmn-icon-trash', title: '删除', action: {click: () => this.modeling.removeElements([element])}};
    return entries;
  }

  getMultiElementContextPadEntries(elements) {
    return {delete: {group: 'edit', className: 'bpmn-icon-trash', title: '删除', action: {click: () => this.modeling.removeElements([...elements])}}};
  }
}
FlowContextPad.$inject = ['contextPad', 'connect', 'autoPlace', 'create', 'modeling', 'injector'];

/** Elements are not turned into others: most of those the engine does not run. */
export class NoReplace {}
